// SPDX-License-Identifier: Apache-2.0
//
// Owners of OpenSSL's objects.
#pragma once

#include <memory>

#include "openssl/bio.h"
#include "openssl/bn.h"
#include "openssl/ec.h"
#include "openssl/evp.h"

namespace launch {

template <auto kFree>
struct OpensslFree {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using PkeyCtxPtr =
    std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

}  // namespace launch
