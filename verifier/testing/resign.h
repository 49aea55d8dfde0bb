// SPDX-License-Identifier: Apache-2.0
//
// A certificate or CRL, changed in ways that the emulator never makes one, and
// signed again.
#pragma once

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"

namespace verifier::testing {

struct SignAs {
  const EVP_MD* md = EVP_sha384();
  int padding = RSA_PKCS1_PSS_PADDING;
  int salt = 48;                 // Of PSS.
  const EVP_MD* mask = nullptr;  // Of PSS; null: `md`.
};

std::vector<uint8_t> ResignCertificate(base::Bytes der, EVP_PKEY* key,
                                       const std::function<void(X509*)>& change,
                                       const SignAs& as = {});
std::vector<uint8_t> ResignCrl(base::Bytes der, EVP_PKEY* key,
                               const std::function<void(X509_CRL*)>& change,
                               const SignAs& as = {});
// OpenSSL reads such a list but makes none.
std::vector<uint8_t> CrlWithoutNextUpdate(base::Bytes der, EVP_PKEY* key);

}  // namespace verifier::testing
