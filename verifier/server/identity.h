// SPDX-License-Identifier: Apache-2.0
//
// The server's TLS key and its self-signed certificate. Guests pin the key
// (design section 5, "Pin"); name and dates in the certificate mean nothing.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct Identity {
  ossl::PkeyPtr key;
  ossl::X509Ptr certificate;
};

// A new P-384 key: tls.key and tls.crt in `folder`, mode 0600.
absl::Status CreateIdentity(const std::string& folder);
absl::StatusOr<Identity> LoadIdentity(const std::string& folder);

// "sha256:" and the hex SHA-256 of the SubjectPublicKeyInfo.
std::string PinOf(const Identity& identity);

// What a handshake's error, of OpenSSL's queue, tells about the identity; empty
// if nothing.
std::string_view MeaningOfAlert(unsigned long error);

// TLS 1.3 only, TLS_AES_256_GCM_SHA384, no tickets, no cache, no early data.
// Null only without memory.
ossl::SslCtxPtr MakeServerContext(const Identity& identity);

}  // namespace verifier
