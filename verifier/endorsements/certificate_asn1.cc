// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/certificate_asn1.h"

namespace verifier {

// EDGE: OpenSSL's macros describe a structure by the offsets of its members.
// clang-format off
ASN1_SEQUENCE(SubjectPublicKeyInfo) = {
    ASN1_SIMPLE(SubjectPublicKeyInfo, algorithm, X509_ALGOR),
    ASN1_SIMPLE(SubjectPublicKeyInfo, key, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(SubjectPublicKeyInfo)

ASN1_SEQUENCE_enc(TbsCertificate, encoding, nullptr) = {
    ASN1_EXP_OPT(TbsCertificate, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(TbsCertificate, serial, ASN1_INTEGER),
    ASN1_SIMPLE(TbsCertificate, algorithm, X509_ALGOR),
    ASN1_SIMPLE(TbsCertificate, issuer, X509_NAME),
    ASN1_SIMPLE(TbsCertificate, validity, X509_VAL),
    ASN1_SIMPLE(TbsCertificate, subject, X509_NAME),
    ASN1_SIMPLE(TbsCertificate, key, SubjectPublicKeyInfo),
    ASN1_IMP_OPT(TbsCertificate, issuer_id, ASN1_BIT_STRING, 1),
    ASN1_IMP_OPT(TbsCertificate, subject_id, ASN1_BIT_STRING, 2),
    ASN1_EXP_SEQUENCE_OF_OPT(TbsCertificate, extensions, X509_EXTENSION, 3),
} ASN1_SEQUENCE_END_enc(TbsCertificate, TbsCertificate)

ASN1_SEQUENCE(CertificateSyntax) = {
    ASN1_SIMPLE(CertificateSyntax, tbs, TbsCertificate),
    ASN1_SIMPLE(CertificateSyntax, algorithm, X509_ALGOR),
    ASN1_SIMPLE(CertificateSyntax, signature, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(CertificateSyntax)
// clang-format on

}  // namespace verifier
