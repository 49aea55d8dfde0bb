// SPDX-License-Identifier: Apache-2.0
//
// Owning pointers for the OpenSSL types that the emulator uses, and its errors.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "openssl/bio.h"
#include "openssl/ecdsa.h"
#include "openssl/err.h"
#include "openssl/evp.h"
#include "openssl/x509.h"

namespace psp {

template <auto kFree>
struct OpensslDelete {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using EvpPkey = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using EvpMdCtx = std::unique_ptr<EVP_MD_CTX, OpensslDelete<EVP_MD_CTX_free>>;
using EvpCipherCtx =
    std::unique_ptr<EVP_CIPHER_CTX, OpensslDelete<EVP_CIPHER_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using EcdsaSig = std::unique_ptr<ECDSA_SIG, OpensslDelete<ECDSA_SIG_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDelete<BIO_free_all>>;

// The oldest error of this thread's queue, which is then emptied.
inline absl::Status OpensslError(std::string_view what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", text));
}

}  // namespace psp
