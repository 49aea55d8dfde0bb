// SPDX-License-Identifier: Apache-2.0
//
// TlsServer: OpenSSL's end of TLS over a ByteStream, for tests against another
// stack than our own. It can be told to break Forelock's profile.
#pragma once

#include <stdint.h>

#include <array>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secure_channel.h"
#include "hosted/openssl/openssl.h"
#include "hosted/openssl/ssl.h"
#include "openssl/evp.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"

namespace crypto::testing {

enum class KeyKind { kP256, kP384, kP521, kEd25519, kRsa2048 };

// A key and a self-signed certificate of it.
struct Identity {
  hosted::openssl::PkeyPtr key;
  hosted::openssl::X509Ptr certificate;

  // SHA-256 of the SubjectPublicKeyInfo, by OpenSSL.
  std::array<uint8_t, 32> Pin() const;
};
Identity MakeIdentity(KeyKind kind);

struct TlsServerOptions {
  int min_version = TLS1_3_VERSION;
  int max_version = TLS1_3_VERSION;
  std::string cipher_suites = "TLS_AES_256_GCM_SHA384";
  std::string groups = "P-256:P-384";
  size_t tickets = 0;
  bool request_client_certificate = false;
  bool connect = false;  // be the client, which checks nothing
  std::vector<const X509*> more_certificates;  // after the identity's own
};

class TlsServer final : public SecureChannel {
 public:
  // Both references must outlive the server.
  TlsServer(base::ByteStream& lower, const Identity& identity,
            const TlsServerOptions& options = {});
  ~TlsServer();

  base::Result<base::Step> Handshake();
  base::Result<size_t> Read(base::MutableBytes out) override;
  base::Result<size_t> Write(base::Bytes bytes) override;
  base::Status Export(const char* label, base::Bytes context,
                      base::MutableBytes out) override;

  void SendKeyUpdate();
  void Close();  // close_notify
  // Moves bytes between OpenSSL and the lower stream.
  void Pump();

  // What OpenSSL said when a call failed.
  const std::string& error() const { return error_; }
  const SSL* ssl() const { return ssl_.get(); }

 private:
  base::Status Failed(int result);

  base::ByteStream& lower_;
  hosted::openssl::SslCtxPtr context_;
  hosted::openssl::SslPtr ssl_;
  BIO* in_;   // owned by ssl_
  BIO* out_;  // owned by ssl_
  std::vector<uint8_t> unsent_;
  bool lower_closed_ = false;
  std::string error_;
};

}  // namespace crypto::testing
