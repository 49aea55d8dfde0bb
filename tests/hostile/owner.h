// SPDX-License-Identifier: Apache-2.0
//
// The guest owner of a test: a verifier with one secret, in this process. No
// sockets, no threads, and the real thing otherwise: the verifier's session
// over its TLS profile, its store, its policies.
#pragma once

#include <stdint.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "proto/attest.h"
#include "verifier/ossl/ossl.h"
#include "verifier/server/identity.h"
#include "verifier/session/session.h"
#include "verifier/store/store.h"
#include "verifier/testing/evidence_maker.h"

namespace hostile {

inline constexpr std::string_view kVm = "demo/vm1";
inline constexpr std::string_view kSecretName = "demo/vm1/root";

class Owner {
 public:
  // Makes keys and a store in a folder of its own under TEST_TMPDIR. The secret
  // is demo/vm1/root, kind luks2. Whoever seeded OpenSSL before gets the same
  // keys again.
  Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  // "sha256:...", for guest.toml.
  std::string Pin() const { return verifier::PinOf(identity_); }
  // What must never be where the host can see it.
  base::Bytes secret() const { return secret_; }
  // TLS's own secrets of all connections so far.
  const std::vector<std::vector<uint8_t>>& tls_secrets() const {
    return tls_secrets_;
  }

  // The one policy, in place of any earlier one.
  void SetPolicy(const verifier::testing::PolicyDigests& digests);

  // --- For OwnerConnection.
  SSL_CTX* tls() { return tls_.get(); }
  verifier::Store& store() { return *store_; }

 private:
  static void OnKeyLog(const SSL* ssl, const char* line);

  std::string folder_;
  std::array<uint8_t, 32> secret_{};
  verifier::Identity identity_;
  std::unique_ptr<verifier::Store> store_;
  verifier::ossl::SslCtxPtr tls_;
  std::vector<std::vector<uint8_t>> tls_secrets_;
  bool has_policy_ = false;
};

// One TLS connection to the owner, as bytes.
class OwnerConnection final : private verifier::KeyExporter {
 public:
  // `owner` outlives it.
  explicit OwnerConnection(Owner& owner);

  void Write(base::Bytes from_guest);
  // What goes to the guest; 0: nothing now.
  size_t Read(base::MutableBytes out);
  // Closes in place of an answer to the guest's `number`th message.
  void DropAtMessage(int number) { drop_at_ = number; }
  // Nothing more will come.
  bool finished() const { return closed_ && BIO_pending(out_) == 0; }

  bool handshaken() const { return handshaken_; }
  // Of the last verdict that left.
  std::optional<proto::Outcome> outcome() const { return outcome_; }
  const std::vector<std::string>& log() const { return log_; }

 private:
  bool Export(std::string_view label, base::Bytes context,
              base::MutableBytes out) override;
  void Pump();
  void Converse();
  void Send(const verifier::Reply& reply);

  Owner& owner_;
  verifier::ossl::SslPtr ssl_;
  BIO* in_ = nullptr;   // of ssl_
  BIO* out_ = nullptr;  // of ssl_
  bool handshaken_ = false;
  bool closed_ = false;
  int messages_ = 0;
  int drop_at_ = 0;
  std::vector<uint8_t> plain_;
  // Made at the first message: none lives while the guest is snapshotted after
  // its handshake.
  std::optional<verifier::Session> session_;
  std::optional<proto::Outcome> outcome_;
  std::vector<std::string> log_;
};

}  // namespace hostile
