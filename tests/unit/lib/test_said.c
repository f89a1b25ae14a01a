/* What a failed program said: the line that tells why, and the reasons for which there is advice. */
#include "check.h"

#include "lib/said.h"

static void expect_plain(const char *line, const char *expected)
{
        _cleanup_(strbuf_clear) struct strbuf plain = STRBUF_INIT;

        said_plain(&plain, line, strlen(line));
        assert_string_equal(plain.buf, expected);
}

static void colours_are_dropped_and_the_rest_made_visible(void **state)
{
        expect_plain("[\033[0;32m  OK  \033[0m] Started ssh", "[  OK  ] Started ssh");
        expect_plain("\033[!p\033]104\a\033[?7h", "");
        expect_plain("\033]0;title\033\\text", "text");
        expect_plain("\033[M\033[Kx", "x");
        expect_plain("a\bb", "a\\x08b");
        expect_plain("\302\2331m", "\\xc2\\x9b1m");
        expect_plain("bell\a", "bell\\x07");
        expect_plain("quests…to", "quests…to");
}

static void a_broken_sequence_ends_with_the_line(void **state)
{
        expect_plain("\033", "\\x1b");
        expect_plain("a\033[", "a");
        expect_plain("a\033[12;", "a");
        expect_plain("a\033]never ends", "a");
        expect_plain("\033\033[1mx", "[1mx");
}

static void expect_why(const char *text, const char *expected)
{
        _cleanup_(freep) char *why = said_why(text, strlen(text));

        assert_string_equal(why, expected);
}

static const char *untrusted(const char *text)
{
        return said_untrusted(text, strlen(text));
}

static const char *broken_off(const char *text)
{
        return said_broken_off(text, strlen(text));
}

/* What the programs really print, as far as it is about the certificate. */
static const struct {
        const char *program, *text;
} refusals[] = {
        { "curl",
          "curl: (60) SSL certificate problem: unable to get local issuer certificate\n"
          "More details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server\n" },
        { "curl with another library", "curl: (60) schannel: SEC_E_UNTRUSTED_ROOT\n" },
        { "git with OpenSSL", "fatal: unable to access 'https://example.org/a.git/': SSL certificate problem: self-signed "
                              "certificate in certificate chain\n" },
        { "git with GnuTLS", "fatal: unable to access 'https://example.org/a.git/': server certificate verification failed. "
                             "CAfile: none CRLfile: none\n" },
        { "apt", "E: Failed to fetch https://deb.example.org/dists/trixie/InRelease  Certificate verification failed: The "
                 "certificate is NOT trusted.\nE: Some index files failed to download.\n" },
        { "apt, and its library", "W: The certificate issuer is unknown.  Could not handshake\n" },
        { "Python", "urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable "
                    "to get local issuer certificate (_ssl.c:1010)>\n" },
        { "OpenSSL", "Verify return code: 20 (unable to get local issuer certificate)\n" },
        { "OpenSSL, of the first one", "verify error:num=21:unable to verify the first certificate\n" },
        { "OpenSSL 1.1", "verify error:num=19:self signed certificate in certificate chain\n" },
        { "OpenSSL 3", "verify error:num=19:self-signed certificate in certificate chain\n" },
        { "wget", "OpenSSL: certificate verify failed\nUnable to establish SSL connection.\n" },
        { "npm", "npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error errno SELF_SIGNED_CERT_IN_CHAIN\n"
                 "npm error A complete log of this run can be found in: /root/.npm/_logs/1-debug-0.log\n" },
        { "Node.js", "Error: UNABLE_TO_VERIFY_LEAF_SIGNATURE\n    at TLSSocket.onConnectSecure (node:_tls_wrap:1)\n" },
        { "pnpm", "ERR_PNPM_FETCH  request failed, reason: UNABLE_TO_GET_ISSUER_CERT_LOCALLY\n" },
        { "Node.js, of one certificate", "code: 'DEPTH_ZERO_SELF_SIGNED_CERT'\n" },
        { "Go", "go: example.org/x@v1: Get \"https://proxy.example.org/x\": tls: failed to verify certificate: x509: "
                "certificate signed by unknown authority\n" },
        { "cargo",
          "  [60] SSL peer certificate or SSH remote key was not OK (SSL certificate problem: unable to get local issuer "
          "certificate)\n" },
        { "uv", "  Caused by: invalid peer certificate: UnknownIssuer\n" },
        { "Java", "javax.net.ssl.SSLHandshakeException: PKIX path building failed: "
                  "sun.security.provider.certpath.SunCertPathBuilderException\n" },
        { "Java, further down", "Caused by: unable to find valid certification path to requested target\n" },
};

static void every_program_says_in_its_own_words_that_a_ca_is_not_trusted(void **state)
{
        for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
                if (!untrusted(refusals[i].text))
                        fail_msg("not seen: what %s says", refusals[i].program);
}

static void a_certificate_that_no_ca_would_help_is_something_else(void **state)
{
        assert_null(untrusted("curl: (60) SSL certificate problem: certificate has expired\n"));
        assert_null(untrusted("curl: (60) SSL: no alternative certificate subject name matches target host name\n"));
        assert_null(untrusted("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch\n"));
        assert_null(untrusted("certificate verify failed: certificate is not yet valid\n"));
        assert_null(untrusted("E: Unable to locate package certificate\n"));
        assert_null(untrusted(""));
}

static void only_the_last_lines_count(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "curl: (60) SSL certificate problem: self-signed certificate\n");
        for (int i = 0; i < 39; i++)
                strbuf_addf(&text, "line %d\n\n", i);
        assert_non_null(untrusted(text.buf));
        strbuf_adds(&text, "one more\n");
        assert_null(untrusted(text.buf));
}

static void what_passes_is_known(void **state)
{
        static const char *const said[] = {
                "curl: (6) Could not resolve host: example.org",
                "curl: (28) Operation too slow. Less than 1000 bytes/sec transferred the last 120 seconds",
                "curl: (28) Operation timed out after 300000 milliseconds",
                "curl: (28) Failed to connect to example.org port 443 after 2 ms: Connection timed out",
                "curl: (18) transfer closed with 123 bytes remaining to read",
                "curl: (56) Recv failure: Connection reset by peer",
                "curl: (92) HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)",
                "curl: (52) Empty reply from server",
                "curl: (22) The requested URL returned error: 503",
                "Err:1 http://deb.example.org trixie InRelease  Temporary failure resolving 'deb.example.org'",
                "E: Failed to fetch http://deb.example.org/x.deb  Hash Sum mismatch",
                "npm error code EAI_AGAIN",
                "npm error network read ECONNRESET",
                "fatal: early EOF",
                "fatal: the remote end hung up unexpectedly",
                "Get \"https://proxy.example.org\": dial tcp: i/o timeout",
        };

        for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
                if (!broken_off(said[i]))
                        fail_msg("not seen: %s", said[i]);
        assert_null(broken_off("curl: (22) The requested URL returned error: 404"));
        assert_null(broken_off("fatal: repository 'https://example.org/' not found"));
}

static void the_line_that_tells_why_is_chosen(void **state)
{
        expect_why("Reading package lists...\nE: Unable to locate package gti\n", "E: Unable to locate package gti");
        expect_why("cc -c a.c\na.c:1:2: error: expected ';'\nmake: *** [Makefile:3: a.o] Error 1\n",
                   "a.c:1:2: error: expected ';'");
        expect_why("npm error code E404\nnpm error 404 Not Found - GET https://r.example.org/x\nnpm error A complete log\n",
                   "npm error 404 Not Found - GET https://r.example.org/x");
        expect_why(refusals[0].text, "curl: (60) SSL certificate problem: unable to get local issuer certificate");
        expect_why("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n", "fatal: early EOF");
        expect_why("one\ntwo\n\n  \n", "two");
        expect_why("  10%\r 20%\r\nlast \033[1mwords\033[0m\r\n", "last words");
        expect_why("", "");
        expect_why("\n\n", "");
}

static void a_line_without_end_is_cut_between_two_characters(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf expected = STRBUF_INIT;

        strbuf_addc(&text, 'x');
        strbuf_addc(&expected, 'x');
        for (int i = 0; i < 1000; i++)
                strbuf_adds(&text, "ö");
        for (int i = 0; i < 149; i++)
                strbuf_adds(&expected, "ö");
        strbuf_adds(&expected, "…");
        expect_why(text.buf, expected.buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(colours_are_dropped_and_the_rest_made_visible),
                cmocka_unit_test(a_broken_sequence_ends_with_the_line),
                cmocka_unit_test(every_program_says_in_its_own_words_that_a_ca_is_not_trusted),
                cmocka_unit_test(a_certificate_that_no_ca_would_help_is_something_else),
                cmocka_unit_test(only_the_last_lines_count),
                cmocka_unit_test(what_passes_is_known),
                cmocka_unit_test(the_line_that_tells_why_is_chosen),
                cmocka_unit_test(a_line_without_end_is_cut_between_two_characters),
        };

        return cmocka_run_group_tests_name("lib/said", tests, NULL, NULL);
}
