// SPDX-License-Identifier: Apache-2.0
//
// Mbed TLS as the guest needs it: a TLS 1.3 client with one cipher suite, over
// PSA, and the primitives that crypto/ wraps. What is not listed is not there:
// no RSA, no TLS 1.2, no PSK, no session tickets, no early data.
#pragma once

#define MBEDTLS_CONFIG_VERSION 0x03060000
#define MBEDTLS_DEPRECATED_REMOVED
#define MBEDTLS_HAVE_ASM

// Hashes, MAC, KDF.
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_HKDF_C

// AES-256-GCM.
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_GCM_C
#define MBEDTLS_CIPHER_C

// ECDH and ECDSA on P-256 and P-384.
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C

// X.509, only to find the public key of the end-entity certificate.
#define MBEDTLS_OID_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO

// Randomness: crypto/rng.h is the only source, for PSA too. Without
// MBEDTLS_ENTROPY_C Mbed TLS cannot go and look for another.
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG

// TLS 1.3 client.
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_KEYING_MATERIAL_EXPORT
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096

// Own heap, bounded and counted, in the guest and in host tests.
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
