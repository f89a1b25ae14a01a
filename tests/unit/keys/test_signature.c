/* Signatures made by OpenSSH's agent (the keys are from ssh-keygen 9.2), and what becomes of them when a byte changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "keys/signature.h"

#define BYTES_MOST 1024
/* The distance between changed bytes. Every part of a message is longer. */
#define STRIDE 3

/* The samples are signatures of this, in base64, as they are sent. */
#define DATA "the session's id"
static const struct sample {
        const char *name, *key, *signature;
        bool proof;
} samples[] = {
        { "RSA, 2048 bits, rsa-sha2-256",
          "AAAAB3NzaC1yc2EAAAADAQABAAABAQChXFlWP0k/8qGnkim+9cU/sgn1VT0Ob19EioVQoDOUFvpfZqhVXZM/4DpcRYc0epX7RanN"
          "FSsWfwuOgmiUrrDIDILN/V9xpVQKiYZSj3Lz1RsgctkgOnqhrtL446h589kXNpYsdAyvq/RPqsOCBY6tRd85HVVfyNrjdxmBkhKg"
          "gbgbCRk9fLP4FYkNpGY4wO7tnqiVjRL0jZfH1SHdbJ6q00unSic6U4WMUmlV/vacs8DLmV6CFKbVEyoF538wboAY8yTFYZa4ivNb"
          "ASoIgsmMwcs3eCKzRyevo9W+BpNX+lpAGt2mcCLli+i1W9IvmbAEKtFlP4SWcgQ2UdkK66zJ",
          "AAAADHJzYS1zaGEyLTI1NgAAAQCfefGxGU+fNUFexVArWdWkwGSlFYXRsLI7DoTAGDOFPHMM0trVpxXUtqHyDzm5FHgiJ4bbm03r"
          "KD7PSufiH87mqmsQjBF+Ce6NBCFHUdZyI0/aBd1gleJ1xA06sNajpB8pN+MvzgmucuMCKRRGXP/2UFnZOgDMB5CdlhQAzsL54gvC"
          "/sgiLLeHjowXhh4DGnOWOkn1l68mk+tgZZpqBP7sZZuMhJeRKRmDiZQ/xKe117IPoPqJyI6z08KpTNid3rEBBLSPpV0MTvGC37g6"
          "wjfjxYpoLjNtpeNEfV0Io5FSEA+NTDS1xuCp3PwL4zEzyKfpQxsD4i77XcfELaa8wGRU",
          true },
        { "RSA, 2048 bits, rsa-sha2-512",
          "AAAAB3NzaC1yc2EAAAADAQABAAABAQCsUF1Y2/6ihTcYuhUK3/IKgLLsVK66f4pmiTPyH0iLq5Ai60nf603+j+mad6Oo6dSVGRd7"
          "FoBPce3FmheUazKjXHHtoYSjGeslLDJMYLrT1SwQv9tkxIRJhrM6tsbPSsd7sFkyuX64Fs5IgmikQWq0s+iAf8PdZu0qVNgTMEPy"
          "SpoYN7cic6CeYzMDtK0QwsupP2G7B5+p3FNq9rPfr1IDSF+1WDL85BCK/ynsiON/VASJ1xjAog10DdiHuQRHiiboelpPVeM9zaLZ"
          "ip1FnzubAfvIpYoaa0gPQqnv+WSPC93HlpAbBZtMVFv/sbg+VcYP2TARCPvbDurqBUqegUN5",
          "AAAADHJzYS1zaGEyLTUxMgAAAQBuI7OtulhqHMpLfWA8tEY6MctxEz7TY0NABQEjFl0eqPoCCR55IxYeWWuhpB5Txm7uTOTYVxRE"
          "AWGetznGeQLBZ5x8UgYWp6ATLSyycyJPA9BGTxNvZ5C1ETNEHk/QZn1mihjkFLob3EHrXtEI4iryVpO+BwrhG2+3k6hssHNY6Z6H"
          "8zmllkef/7oM7KHNrvwdsR6tdnqO2oXTCZKn+7CbUPj/GFw6S4gEY6X/ILgzfqO4wzv+SBKPpQaUJu32uzAbUkVJNtUsXJRCsww0"
          "dF+kb3DmtCqbjKPaWlHqeTca8tb7TUpOsui6ytiXWVUUA3AW7bXrgb2q++sr032J1q5y",
          true },
        { "RSA, 2048 bits, ssh-rsa",
          "AAAAB3NzaC1yc2EAAAADAQABAAABAQCMQN+jnBpz+dZ20OCVpmpV1WW8ha5rUKPn28mwA03/ngBQdbhKhKL4l/xzZbytY0no8LDL"
          "PbOD7ofxcqFsr+kVPSOwrSvo7NEyUvrhI+UY2/iNtaiuEj3xnuOyztb0FU0kNjaR1ZJLLPOLcUfLFwwz9NWXMzAUTkIZkDpHoFHL"
          "ud1nkf997GgIOnZO0HhyrK+3Mf6xkgpI0yegZ10wS2ZlrsqDE7e+tf0XV+2ukTJvj3tDhd5L1dxVkLV8clvSiKYRwhrYoAra7Jab"
          "bfZq3h/B9NbPcnpcrSwi6i9KU8CZFwkS31t4z/k6KTV9kd8FtMmkmb5GJmq3/39w8fTKg1VN",
          "AAAAB3NzaC1yc2EAAAEAJzuvSFgSeCHylKwV0n21uV/+/c+nRgWTODK07Ky8+yx+IgWjmvoxov5Mzw5oUe7wxaF6JvJ2c2KidQRl"
          "xm5pbbWVtxNp4/diKI2WKNoSRUBykxUsX+JFaEG/RoXYj3JKke5sa/x1UjCkMhNETlq8H/mMT8u4KazUqocNck+lVr9tE4CJRk5c"
          "ih3O7yGBE7GyfxQLwaJMDXZDSPHWVuLahXTvVdYoCVSATXXJMc7UEFqHn6xdQRtdwLVI9aPPuHZUvE6Ra1mvS6GMv15qsaVzQzBz"
          "4LYq7HfOuDUBnWTcqOBk4SPKEfZRsaCiiKsaXYpTMq8//ePwRZorS3Fe8Gr1Nw==",
          false },
        { "RSA, 1024 bits, rsa-sha2-512",
          "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCcAtyv58yIwtvX5F0JzeMXk3AIJimljx1bAz9ai/julNOs7FHl+L/xPVwDCk9f2HdXPbu0"
          "lvfPRdbp6iTdZKhlGGtZyqjGvfxv5eJxL+vv4nFDTTRyxZCYVffUiMbQGWZBe1qPVN0JGB7z+anIT1KutlfpaV3479gEt5hswg7u"
          "fQ==",
          "AAAADHJzYS1zaGEyLTUxMgAAAICDl8ZqvGGScuxTux4XKXRciiVuJOKO2MWuDPfDxGrhpEbbJu1r+0B+CzP/8vntOnmgCy04RssN"
          "OGevMTi2+WdVvHu0sZ2fZY1uAWv+73UsdLrpVdRtEmOaWWNDeJwvD5zTRyVPr2ypWCGYxwHguBDp9E6K431EuVY5AOadoydIIg==",
          false },
        { "ecdsa-sha2-nistp256",
          "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE1cbKjI+qYlvBNtFmr+H94JaY90meDv6x665gMaL/zPAI5u"
          "3bCuTA2tj50H/Cm8a3T331pavfKvWJt91VgDXyg=",
          "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAABJAAAAIFciTqzAn/sxnVD+5xlt7DYk7Evvz26J8qaNPyzaXGXqAAAAIQDMMn8JPFjq"
          "PNWUJ5bR37LH5kVH7DpItZ5xdltXytDARA==",
          true },
        { "ecdsa-sha2-nistp384",
          "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBNlR0vUd5am/EXPeJCz0sm4qtBezR9PQKqPGl97+uIPCa+2Q"
          "NKNa8wO7/K22/R8TK95uAteL4T7rGnaC8rLeLQWw6GI84G++zr93z3CPdBDg7CZIT5CnCjmJ9F9SKEs0Jg==",
          "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAABqAAAAMQCfcyA4nvSLFT41KJxnsNkyUB5jCixdLAJBiZSamr+YU7lHdf/bnwRe9627"
          "HV350DsAAAAxAIzsvWZ3Ymdyi6eI4XUQ6MAHUMnKCI5PSe48wUKlvyEjjkAd9OBR8+qe+huMb34HvQ==",
          true },
        { "ecdsa-sha2-nistp521",
          "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAH6elcYaX1Wef7frnqr0Tj1g03fi9Z/y3i8DyO08y6emCns"
          "ScuLGuiv0NeE7/bIZSYt8c6KsgkseA4ymTIt2i70LwHPHMw16EOlhwIgt4h3DN5SCUKJHExHIzdYBjWVW50Umw2UwAdcH/BIYLqj"
          "GeD9Rq2HJD0qeS34F0qmwr4asqRgCg==",
          "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAACMAAAAQgC/tPcDemcYaVKG9yJeqePqeB8l2UHeaKOo4LZUnMtsHFhxazIg1GrxUyIr"
          "SP4ic3Igho7Yb7JVHPy7DI+BcQOILgAAAEIBj8lYMdLcbbdn8laIOk6qyRJvfxzFthm62q3HeWsGvujmVoskO5UqUr0oWy5OHN2Z"
          "+JF0QZmKRVeBn8hy7VGvHQU=",
          true },
        { "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAILTyU8YQUUHA0MxBnQxjulUGyjivs+lCaT6sGxucBBqp",
          "AAAAC3NzaC1lZDI1NTE5AAAAQJ4gmd2tU2jlKITCBnBhWNraYxhsdAiUqXIWqguKPCXHtgVFDbQUYj7LuFBVISmTZ6Xt0I6s2x7B"
          "6ya6hwMdGQA=",
          true },
};

struct bytes {
        unsigned char data[BYTES_MOST];
        size_t length;
};

static struct bytes decode(const char *text)
{
        struct bytes bytes;

        assert_int_equal(sodium_base642bin(bytes.data, sizeof(bytes.data), text, strlen(text), NULL, &bytes.length, NULL,
                                           sodium_base64_VARIANT_ORIGINAL),
                         0);
        return bytes;
}

static bool proves(const struct bytes *key, const struct bytes *signature, const char *data)
{
        return signature_proves((struct piece){ key->data, key->length }, (struct piece){ signature->data, signature->length },
                                (struct piece){ (const unsigned char *)data, strlen(data) });
}

static void a_signature_proves_what_was_signed_and_nothing_else(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                struct bytes key = decode(samples[i].key);
                struct bytes signature = decode(samples[i].signature);

                print_message("%s\n", samples[i].name);
                assert_int_equal(proves(&key, &signature, DATA), samples[i].proof);
                assert_false(proves(&key, &signature, "another session's id"));
                assert_false(proves(&key, &signature, ""));
        }
}

static void a_key_does_not_prove_by_anothers_signature(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
                for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
                        struct bytes key = decode(samples[i].key);
                        struct bytes signature = decode(samples[j].signature);

                        assert_true(i == j || !proves(&key, &signature, DATA));
                }
}

/* Changes a bit every few bytes, and cuts to every length. The sanitizers see any read beyond the end. */
static void changed_and_cut_ones_prove_nothing(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                const struct bytes key = decode(samples[i].key);
                const struct bytes signature = decode(samples[i].signature);

                print_message("%s\n", samples[i].name);
                for (size_t part = 0; part < 2; part++)
                        for (size_t at = 0; at < (part == 0 ? key : signature).length; at += STRIDE) {
                                struct bytes changed[] = { key, signature };
                                struct bytes cut[] = { key, signature };

                                changed[part].data[at] ^= 0x04;
                                cut[part].length = at;
                                assert_false(proves(&changed[0], &changed[1], DATA));
                                assert_false(proves(&cut[0], &cut[1], DATA));
                        }
        }
}

static void what_stands_behind_it_is_not_passed_over(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                struct bytes key = decode(samples[i].key);
                struct bytes signature = decode(samples[i].signature);

                key.data[key.length++] = 0;
                assert_false(proves(&key, &signature, DATA));
                key.length--;
                signature.data[signature.length++] = 0;
                assert_false(proves(&key, &signature, DATA));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_signature_proves_what_was_signed_and_nothing_else),
                cmocka_unit_test(a_key_does_not_prove_by_anothers_signature),
                cmocka_unit_test(changed_and_cut_ones_prove_nothing),
                cmocka_unit_test(what_stands_behind_it_is_not_passed_over),
        };

        return cmocka_run_group_tests_name("keys/signature", tests, NULL, NULL);
}
