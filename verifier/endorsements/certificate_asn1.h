// SPDX-License-Identifier: Apache-2.0
//
// The syntax of a certificate, as OpenSSL's decoder takes it apart, with the
// subject's key left as bits. d2i_X509() decodes the key at once by a search
// through all of OpenSSL 3.0's decoders, which costs as much as verifying two
// RSA-4096 signatures.
//
// Spec: RFC 5280, 4.1.
#pragma once

#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace verifier {

struct SubjectPublicKeyInfo {
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* key;
};

struct TbsCertificate {
  ASN1_ENCODING encoding;  // As received: what the signature covers.
  ASN1_INTEGER* version;
  ASN1_INTEGER* serial;
  X509_ALGOR* algorithm;
  X509_NAME* issuer;
  X509_VAL* validity;
  X509_NAME* subject;
  SubjectPublicKeyInfo* key;
  ASN1_BIT_STRING* issuer_id;
  ASN1_BIT_STRING* subject_id;
  STACK_OF(X509_EXTENSION) * extensions;
};

struct CertificateSyntax {
  TbsCertificate* tbs;
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
};

DECLARE_ASN1_ITEM(SubjectPublicKeyInfo)
DECLARE_ASN1_ITEM(TbsCertificate)
DECLARE_ASN1_ITEM(CertificateSyntax)

}  // namespace verifier
