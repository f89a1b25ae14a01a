#include "keys/signature.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <sodium.h>

#include "lib/strbuf.h"

#define RSA_BITS_LEAST 2048
/* Bytes of RSA's modulus with its sign: 16384 bits, which is OpenSSH's limit. */
#define INTEGER_MOST 2049

static bool ed25519_proves(struct piece key, struct piece signature, struct piece data)
{
        struct piece point;

        return piece_take_string(&key, &point) && key.length == 0 && point.length == crypto_sign_ed25519_PUBLICKEYBYTES &&
               signature.length == crypto_sign_ed25519_BYTES &&
               crypto_sign_ed25519_verify_detached(signature.data, data.data, data.length, point.data) == 0;
}

/* --- the others: Mbed TLS takes keys and ECDSA's signatures in DER (X.690), which has the same integers as SSH */

enum tag { TAG_INTEGER = 0x02, TAG_BITS = 0x03, TAG_SEQUENCE = 0x30 };

static void add_der(struct strbuf *out, enum tag tag, const void *data, size_t length)
{
        strbuf_addc(out, (char)tag);
        if (length >= 0x100) {
                strbuf_addc(out, (char)0x82);
                strbuf_addc(out, (char)(length >> 8));
        } else if (length >= 0x80) {
                strbuf_addc(out, (char)0x81);
        }
        strbuf_addc(out, (char)(length & 0xff));
        strbuf_add(out, data, length);
}

/* Adds the next string as a positive integer in its shortest form, which RFC 4251 and X.690 both require. */
static bool add_integer(struct strbuf *out, struct piece *from)
{
        struct piece integer;

        if (!piece_take_string(from, &integer) || integer.length == 0 || integer.length > INTEGER_MOST ||
            integer.data[0] >= 0x80 || (integer.length > 1 && integer.data[0] == 0 && integer.data[1] < 0x80))
                return false;
        add_der(out, TAG_INTEGER, integer.data, integer.length);
        return true;
}

/* SubjectPublicKeyInfo (RFC 5280, 4.1): `algorithm` is the inside of its AlgorithmIdentifier. */
static void add_public_key(struct strbuf *out, const unsigned char *algorithm, size_t length, const struct strbuf *key)
{
        _cleanup_(strbuf_clear) struct strbuf bits = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf both = STRBUF_INIT;

        strbuf_addc(&bits, 0); /* no unused bits */
        strbuf_add(&bits, key->buf, key->len);
        add_der(&both, TAG_SEQUENCE, algorithm, length);
        add_der(&both, TAG_BITS, bits.buf, bits.len);
        add_der(out, TAG_SEQUENCE, both.buf, both.len);
}

static bool verify(const struct strbuf *public_key, size_t bits_least, mbedtls_md_type_t hash, struct piece data,
                   const void *signature, size_t signature_length)
{
        unsigned char digest[MBEDTLS_MD_MAX_SIZE];
        const mbedtls_md_info_t *info = mbedtls_md_info_from_type(hash);
        mbedtls_pk_context key;
        bool holds;

        mbedtls_pk_init(&key);
        holds = info && mbedtls_md(info, data.data, data.length, digest) == 0 &&
                mbedtls_pk_parse_public_key(&key, (const unsigned char *)public_key->buf, public_key->len) == 0 &&
                mbedtls_pk_get_bitlen(&key) >= bits_least &&
                mbedtls_pk_verify(&key, hash, digest, mbedtls_md_get_size(info), signature, signature_length) == 0;
        mbedtls_pk_free(&key);
        return holds;
}

/* RFC 8017, A.1.1: modulus, then exponent; SSH sends them the other way round. */
static bool rsa_proves(struct piece key, struct piece signature, struct piece data, mbedtls_md_type_t hash)
{
        static const unsigned char algorithm[] = {
                0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
        };
        _cleanup_(strbuf_clear) struct strbuf exponent = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf pair = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf inside = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf public_key = STRBUF_INIT;

        if (!add_integer(&exponent, &key) || !add_integer(&pair, &key) || key.length > 0)
                return false;
        strbuf_add(&pair, exponent.buf, exponent.len);
        add_der(&inside, TAG_SEQUENCE, pair.buf, pair.len);
        add_public_key(&public_key, algorithm, sizeof(algorithm), &inside);
        return verify(&public_key, RSA_BITS_LEAST, hash, data, signature.data, signature.length);
}

static const struct curve {
        const char *type;       /* of key and signature */
        const char *name;       /* in the key */
        mbedtls_md_type_t hash; /* RFC 5656, 6.2.1 */
        size_t algorithm_length;
        unsigned char algorithm[20]; /* id-ecPublicKey and the curve (RFC 5480, 2.1.1) */
} curves[] = {
        { "ecdsa-sha2-nistp256",
          "nistp256",
          MBEDTLS_MD_SHA256,
          19,
          { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
            0x07 } },
        { "ecdsa-sha2-nistp384",
          "nistp384",
          MBEDTLS_MD_SHA384,
          16,
          { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 } },
        { "ecdsa-sha2-nistp521",
          "nistp521",
          MBEDTLS_MD_SHA512,
          16,
          { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 } },
};

static bool ecdsa_proves(const struct curve *curve, struct piece key, struct piece signature, struct piece data)
{
        _cleanup_(strbuf_clear) struct strbuf point = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf pair = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf public_key = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf both = STRBUF_INIT;
        struct piece name, bytes;

        if (!piece_take_string(&key, &name) || !piece_is(&name, curve->name) || !piece_take_string(&key, &bytes) ||
            key.length > 0 || !add_integer(&pair, &signature) || !add_integer(&pair, &signature) || signature.length > 0)
                return false;
        strbuf_add(&point, bytes.data, bytes.length);
        add_public_key(&public_key, curve->algorithm, curve->algorithm_length, &point);
        add_der(&both, TAG_SEQUENCE, pair.buf, pair.len);
        return verify(&public_key, 0, curve->hash, data, both.buf, both.len);
}

bool signature_proves(struct piece key, struct piece signature, struct piece data)
{
        struct piece type, algorithm, bytes;

        if (!piece_take_string(&key, &type) || !piece_take_string(&signature, &algorithm) ||
            !piece_take_string(&signature, &bytes) || signature.length > 0)
                return false;
        if (piece_is(&type, "ssh-rsa")) {
                if (piece_is(&algorithm, "rsa-sha2-256"))
                        return rsa_proves(key, bytes, data, MBEDTLS_MD_SHA256);
                return piece_is(&algorithm, "rsa-sha2-512") && rsa_proves(key, bytes, data, MBEDTLS_MD_SHA512);
        }
        if (type.length != algorithm.length || memcmp(type.data, algorithm.data, type.length) != 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
                if (piece_is(&type, curves[i].type))
                        return ecdsa_proves(&curves[i], key, bytes, data);
        return piece_is(&type, "ssh-ed25519") && ed25519_proves(key, bytes, data);
}
