// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/owner.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "verifier/session/audit_record.h"
#include "verifier/trust_class.h"

namespace hostile {
namespace {

constexpr int64_t kNowMs = 1'800'000'000'000;  // January 2027.

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  ADD_FAILURE() << value.status();
  abort();
}
void OrDie(const absl::Status& status) {
  if (status.ok()) return;
  ADD_FAILURE() << status;
  abort();
}

// P-256, where the verifier's own keys are P-384: the guest is done with it in
// half the time.
verifier::Identity MakeIdentity() {
  char curve[] = "P-256";  // Variadic: OpenSSL wants a char*.
  verifier::Identity identity{
      .key = verifier::ossl::PkeyPtr(
          EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)),
      .certificate = verifier::ossl::X509Ptr(X509_new())};
  X509* const x509 = identity.certificate.get();
  EVP_PKEY* const key = identity.key.get();
  X509_NAME* const name =
      x509 == nullptr ? nullptr : X509_get_subject_name(x509);
  // EDGE: OpenSSL takes ASCII as unsigned char.
  const auto* text = reinterpret_cast<const unsigned char*>("owner");
  if (key == nullptr || x509 == nullptr ||
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) !=
          1 ||
      X509_set_issuer_name(x509, name) != 1 ||
      X509_set_version(x509, X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(x509), 0) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(x509), 86400) == nullptr ||
      X509_set_pubkey(x509, key) != 1 ||
      X509_sign(x509, key, EVP_sha384()) <= 0) {
    abort();
  }
  return identity;
}

std::string NewFolder() {
  std::string folder = ::testing::TempDir() + "/owner-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) abort();
  return folder + "/state";
}

}  // namespace

Owner::Owner() : folder_(NewFolder()) {
  // Not a text, and nothing that any other code would make.
  for (size_t i = 0; i < secret_.size(); ++i) {
    secret_[i] = static_cast<uint8_t>(0xB7 + 0x3D * i + (i * i >> 1));
  }
  store_ = OrDie(verifier::Store::Create(folder_));
  OrDie(store_->AddRoot(verifier::testing::TestRoot()));
  verifier::SecretValue value;
  value.kind = verifier::SecretKind::kLuks2;
  value.bytes =
      *base::SecretBuffer<verifier::kMaxSecretBytes>::CopyFrom(secret_);
  value.header_length = 294912;
  value.header_sha256.fill(0x5A);
  OrDie(store_->AddSecret(kSecretName, verifier::TrustClass::kEmulated, value)
            .status());
  identity_ = MakeIdentity();
  tls_ = verifier::MakeServerContext(identity_);
  if (!tls_) abort();
  SSL_CTX_set_app_data(tls_.get(), this);
  SSL_CTX_set_keylog_callback(tls_.get(), OnKeyLog);
}

void Owner::SetPolicy(const verifier::testing::PolicyDigests& digests) {
  using Put = verifier::Store::Put;
  OrDie(store_
            ->PutPolicy(
                verifier::testing::PolicyText(digests), "policy.toml",
                std::exchange(has_policy_, true) ? Put::kReplace : Put::kNew)
            .status());
}

// NSS key log format: label, client random, secret; the last two in hex.
void Owner::OnKeyLog(const SSL* ssl, const char* line) {
  auto* const owner =
      static_cast<Owner*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const std::string_view text(line);
  const std::string_view hex = text.substr(text.rfind(' ') + 1);
  std::vector<uint8_t> secret(hex.size() / 2);
  if (!verifier::ossl::FromHex(hex, secret)) abort();
  owner->tls_secrets_.push_back(std::move(secret));
}

OwnerConnection::OwnerConnection(Owner& owner)
    : owner_(owner), ssl_(SSL_new(owner.tls())) {
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  if (!ssl_ || in_ == nullptr || out_ == nullptr) abort();
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_accept_state(ssl_.get());
}

void OwnerConnection::Write(base::Bytes from_guest) {
  size_t written = 0;
  if (BIO_write_ex(in_, from_guest.data(), from_guest.size(), &written) != 1 ||
      written != from_guest.size()) {
    abort();
  }
  Pump();
}

size_t OwnerConnection::Read(base::MutableBytes out) {
  size_t size = 0;
  if (BIO_read_ex(out_, out.data(), out.size(), &size) != 1) return 0;
  return size;
}

bool OwnerConnection::Export(std::string_view label, base::Bytes context,
                             base::MutableBytes out) {
  return SSL_export_keying_material(ssl_.get(), out.data(), out.size(),
                                    label.data(), label.size(), context.data(),
                                    context.size(), /*use_context=*/1) == 1;
}

void OwnerConnection::Pump() {
  if (closed_) return;
  const auto failed = [this](int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return false;
    if (error != SSL_ERROR_ZERO_RETURN) {
      log_.push_back(verifier::ossl::TakeError());
    }
    closed_ = true;
    return true;
  };
  if (!handshaken_) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) {
      failed(result);
      return;
    }
    handshaken_ = true;
  }
  for (;;) {
    std::array<uint8_t, 16384> buffer;
    size_t size = 0;
    const int result =
        SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (result != 1) {
      failed(result);
      break;
    }
    plain_.insert(plain_.end(), buffer.begin(),
                  buffer.begin() + static_cast<ptrdiff_t>(size));
  }
  Converse();
}

// The framing of verifier/server.
void OwnerConnection::Converse() {
  while (plain_.size() >= 4) {
    if (!session_.has_value()) {
      verifier::SessionOptions options;
      options.allow_emulated = true;
      options.peer = "machine";
      options.now_ms = [] { return kNowMs; };
      options.log = [this](std::string_view line) {
        log_.push_back(std::string(line));
      };
      verifier::KeyExporter& exporter = *this;
      session_.emplace(owner_.store(), exporter, std::move(options));
    }
    if (session_->done()) return;
    const uint32_t size = base::LoadLe<uint32_t>(std::span(plain_).first<4>());
    if (size == 0 || size > proto::kMaxAttestMessage) {
      Send(session_->OnViolation(base::Reason{'E', 'M', 250}, "frame"));
      closed_ = true;
      return;
    }
    if (plain_.size() < 4 + size) return;
    const std::vector<uint8_t> body(plain_.begin() + 4,
                                    plain_.begin() + 4 + size);
    plain_.erase(plain_.begin(), plain_.begin() + 4 + size);
    if (++messages_ == drop_at_) {
      closed_ = true;
      return;
    }
    Send(session_->OnMessage(body));
    if (session_->done()) {
      SSL_shutdown(ssl_.get());
      closed_ = true;
    }
  }
}

void OwnerConnection::Send(const verifier::Reply& reply) {
  const base::Bytes bytes = reply.bytes();
  if (bytes.empty()) return;
  std::array<uint8_t, 4> prefix;
  base::StoreLe<uint32_t>(static_cast<uint32_t>(bytes.size()), prefix);
  size_t written = 0;
  if (SSL_write_ex(ssl_.get(), prefix.data(), prefix.size(), &written) != 1 ||
      SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
    log_.push_back(verifier::ossl::TakeError());
    closed_ = true;
  }
  if (!session_->decided() || outcome_.has_value()) return;
  proto::AttestArena arena;
  const auto verdict = proto::Decode<proto::AttestVerdict>(bytes, arena);
  if (!verdict.ok()) return;
  outcome_ = verdict->outcome;
  verifier::DecisionId id{};
  std::copy(verdict->decision_id.begin(), verdict->decision_id.end(),
            id.begin());
  const auto entry = owner_.store().FindAudit(id);
  if (entry.ok()) log_.push_back(verifier::ToText(*entry));
}

}  // namespace hostile
