// SPDX-License-Identifier: Apache-2.0
//
// Owners of libssl's objects.
#pragma once

#include <memory>

#include "hosted/openssl/openssl.h"
#include "openssl/ssl.h"

namespace hosted::openssl {

using SslCtxPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Deleter<SSL_free>>;

}  // namespace hosted::openssl
