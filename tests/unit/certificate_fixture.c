#include "config.h"

#include "certificate_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S (24L * 3600)

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    assert_non_null(context);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void extend(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, (char *)(uintptr_t)value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void certificate_make(struct certificate *certificate, const struct certificate_plan *plan)
{
    static long serial;
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);

    certificate->x509 = x509;
    certificate->key = make_key();
    const struct certificate *by = plan->by != NULL ? plan->by : certificate;
    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), plan->from_days * DAY_S));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), plan->to_days * DAY_S));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)plan->name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x509, X509_get_subject_name(by->x509)), 1);
    assert_int_equal(X509_set_pubkey(x509, certificate->key), 1);
    if (plan->is_authority)
        extend(x509, NID_basic_constraints, "critical,CA:TRUE");
    if (plan->alternatives != NULL)
        extend(x509, NID_subject_alt_name, plan->alternatives);
    assert_true(X509_sign(x509, by->key, NULL) > 0);
}

void certificate_free(struct certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
}

void certificate_write(const struct certificate *certificate, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate->x509), 1);
    assert_int_equal(fclose(file), 0);
}

void certificate_write_key(const struct certificate *certificate, const char *path,
                           const char *passphrase)
{
    FILE *file = fopen(path, "w");
    int len = passphrase != NULL ? (int)strlen(passphrase) : 0;
    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, certificate->key,
                                               passphrase != NULL ? EVP_aes_128_cbc() : NULL,
                                               (char *)(uintptr_t)passphrase, len, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
}
