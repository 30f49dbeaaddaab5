/*
 * Certificates that are made for one test, and forgotten after it.
 */
#ifndef ZOMBIE_TESTS_CERTIFICATE_FIXTURE_H
#define ZOMBIE_TESTS_CERTIFICATE_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
};

struct certificate_plan {
    const char *name;             /* of the subject */
    const char *alternatives;     /* "DNS:a.test,IP:127.0.0.1"; NULL: none */
    const struct certificate *by; /* who signs; NULL: itself */
    int from_days, to_days;       /* of validity, seen from today */
    int is_authority;
};

void certificate_make(struct certificate *certificate, const struct certificate_plan *plan);
void certificate_free(struct certificate *certificate);

/* Write PEM files. passphrase: NULL: none. */
void certificate_write(const struct certificate *certificate, const char *path);
void certificate_write_key(const struct certificate *certificate, const char *path,
                           const char *passphrase);

#endif
