// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_client.h"

#include <string.h>

#include "base/secret_buffer.h"
#include "crypto/hash.h"
#include "crypto/reasons.h"
#include "mbedtls/error.h"
#include "mbedtls/pk.h"
#include "psa/crypto.h"

namespace crypto {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;

constexpr int kCipherSuites[] = {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, 0};
constexpr uint16_t kGroups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
constexpr uint16_t kSignatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                    MBEDTLS_TLS1_3_SIG_NONE};

// What a callback returns for a reason that it left in refused_; Mbed TLS
// passes it through, whatever it is.
constexpr int kSeeRefused = MBEDTLS_ERR_X509_FATAL_ERROR;

bool IsWait(int result) {
  return result == MBEDTLS_ERR_SSL_WANT_READ ||
         result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

// Mbed TLS adds a low-level error (below 0x1000) to that of a module.
constexpr int ModuleOf(int error) { return -(-error & 0x7F80); }

Status StatusOfModule(int error) {
  switch (ModuleOf(error)) {
    case MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG:
    case MBEDTLS_ERR_X509_UNKNOWN_VERSION:
    case MBEDTLS_ERR_X509_INVALID_FORMAT:
    case MBEDTLS_ERR_X509_INVALID_VERSION:
    case MBEDTLS_ERR_X509_INVALID_SERIAL:
    case MBEDTLS_ERR_X509_INVALID_ALG:
    case MBEDTLS_ERR_X509_INVALID_NAME:
    case MBEDTLS_ERR_X509_INVALID_DATE:
    case MBEDTLS_ERR_X509_INVALID_SIGNATURE:
    case MBEDTLS_ERR_X509_INVALID_EXTENSIONS:
    case MBEDTLS_ERR_X509_SIG_MISMATCH:
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_X509_FATAL_ERROR:
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_PK_INVALID_PUBKEY:
    case MBEDTLS_ERR_PK_INVALID_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
    case MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE:
      return Status(Code::kUnauthenticated, kTlsCertificateRefused);
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
      return Status(Code::kResourceExhausted, kTlsOutOfMemory);
    case MBEDTLS_ERR_ECP_VERIFY_FAILED:
      return Status(Code::kUnauthenticated, kTlsNotAuthentic);
    default:
      return Status(Code::kInternal, kTlsInternal);
  }
}

Status StatusOfTls(int error) {
  switch (error) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      return Status(Code::kUnavailable, kTlsAlert);
    case MBEDTLS_ERR_SSL_CONN_EOF:
      return Status(Code::kUnavailable, kTlsTruncated);
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
      return Status(Code::kUnavailable, base::kStreamClosed);
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
      return Status(Code::kPermissionDenied, kTlsRefused);
    case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
    case MBEDTLS_ERR_SSL_PK_TYPE_MISMATCH:
      return Status(Code::kUnauthenticated, kTlsCertificateRefused);
    case MBEDTLS_ERR_SSL_INVALID_MAC:
      return Status(Code::kUnauthenticated, kTlsNotAuthentic);
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_DECODE_ERROR:
    case MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER:
    case MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION:
    case MBEDTLS_ERR_SSL_UNEXPECTED_RECORD:
    // A message that is larger than our buffers.
    case MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE:
    case MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL:
    // Mbed TLS says these of lengths and groups that it does not expect from a
    // server. Our own calls cannot cause them: their arguments are fixed.
    case MBEDTLS_ERR_SSL_INTERNAL_ERROR:
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA:
      return Status(Code::kDataLoss, kTlsMalformed);
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
      return Status(Code::kDataLoss, kTlsUnexpectedMessage);
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
      return Status(Code::kResourceExhausted, kTlsOutOfMemory);
    case PSA_ERROR_INSUFFICIENT_MEMORY:
      return Status(Code::kResourceExhausted, kTlsOutOfMemory);
    default:
      return StatusOfModule(error);
  }
}

}  // namespace

TlsClient::TlsClient() {
  mbedtls_ssl_init(&ssl_);
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&no_authorities_);
}

Status TlsClient::Start(base::ByteStream& lower, Rng& rng,
                        std::span<const Pin> pins) {
  if (state_ != State::kIdle) {
    return Status(Code::kFailedPrecondition, kTlsWrongState);
  }
  if (pins.empty() || pins.size() > kMaxPins) {
    return Status(Code::kInvalidArgument, kPinsInvalid);
  }
  if (!rng.seeded()) return Status(Code::kFailedPrecondition, kRngNotReady);
  state_ = State::kHandshake;
  lower_ = &lower;
  rng_ = &rng;
  pin_count_ = pins.size();
  for (size_t i = 0; i < pins.size(); ++i) pins_[i] = pins[i];
  InstallPsaRng(&rng);
  if (const Status status = Configure(); !status.ok()) {
    Wipe();
    return status;
  }
  return {};
}

Status TlsClient::Configure() {
  constexpr Status kNoHeap(Code::kResourceExhausted, kTlsOutOfMemory);
  if (psa_crypto_init() != PSA_SUCCESS) return kNoHeap;
  if (mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT,
                                  MBEDTLS_SSL_TRANSPORT_STREAM,
                                  MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
    return kNoHeap;
  }
  mbedtls_ssl_conf_min_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_tls13_key_exchange_modes(
      &config_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  mbedtls_ssl_conf_ciphersuites(&config_, kCipherSuites);
  mbedtls_ssl_conf_groups(&config_, kGroups);
  mbedtls_ssl_conf_sig_algs(&config_, kSignatures);
  mbedtls_ssl_conf_rng(&config_, &Random, this);
  // Required, with a chain of authorities, or the callback is not called. What
  // it calls for is the callback's answer alone: the chain is empty.
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config_, &no_authorities_, nullptr);
  mbedtls_ssl_conf_verify(&config_, &CheckCertificate, this);
  if (mbedtls_ssl_setup(&ssl_, &config_) != 0) return kNoHeap;
  // No name is checked, and none is sent. Without this call Mbed TLS refuses
  // to verify at all.
  if (mbedtls_ssl_set_hostname(&ssl_, nullptr) != 0) return kNoHeap;
  mbedtls_ssl_set_bio(&ssl_, this, &Send, &Receive, nullptr);
  return {};
}

int TlsClient::Send(void* self_pointer, const unsigned char* bytes,
                    size_t size) {
  auto* self = static_cast<TlsClient*>(self_pointer);
  const Result<size_t> sent = self->lower_->Write({bytes, size});
  if (!sent.ok()) {
    self->refused_ = sent.status();
    return kSeeRefused;
  }
  return *sent == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : static_cast<int>(*sent);
}

int TlsClient::Receive(void* self_pointer, unsigned char* out, size_t size) {
  auto* self = static_cast<TlsClient*>(self_pointer);
  // Mbed TLS skips records in a loop of its own, so the bounds are here. What
  // it has of a record it keeps over a WANT_READ.
  if (self->received_idle_ >= kMaxIdleBytes) {
    self->refused_ = Status(Code::kDataLoss, kTlsFlood);
    return kSeeRefused;
  }
  if (self->received_in_call_ >= kMaxBytesPerCall) {
    return MBEDTLS_ERR_SSL_WANT_READ;
  }
  const size_t idle_left = kMaxIdleBytes - self->received_idle_;
  const size_t call_left = kMaxBytesPerCall - self->received_in_call_;
  size = size < idle_left ? size : idle_left;
  size = size < call_left ? size : call_left;
  const Result<size_t> got = self->lower_->Read({out, size});
  if (!got.ok()) {
    // Below TLS anybody can close; only close_notify is the server's word.
    self->refused_ = got.status().reason() == base::kStreamClosed
                         ? Status(Code::kUnavailable, kTlsTruncated)
                         : got.status();
    return kSeeRefused;
  }
  self->received_in_call_ += *got;
  self->received_idle_ += *got;
  return *got == 0 ? MBEDTLS_ERR_SSL_WANT_READ : static_cast<int>(*got);
}

int TlsClient::Random(void* self_pointer, unsigned char* out, size_t size) {
  auto* self = static_cast<TlsClient*>(self_pointer);
  const Status status = self->rng_->Generate({out, size});
  if (status.ok()) return 0;
  self->refused_ = status;
  return kSeeRefused;
}

// Called for each certificate of the chain, depth 0 being the server's own.
int TlsClient::CheckCertificate(void* self_pointer,
                                mbedtls_x509_crt* certificate, int depth,
                                uint32_t* flags) {
  auto* self = static_cast<TlsClient*>(self_pointer);
  *flags = 0;  // Nobody vouches for a certificate here but the pin.
  if (depth != 0) return 0;
  const size_t bits = mbedtls_pk_get_bitlen(&certificate->pk);
  if (mbedtls_pk_get_type(&certificate->pk) != MBEDTLS_PK_ECKEY ||
      (bits != 256 && bits != 384)) {
    self->refused_ = Status(Code::kUnauthenticated, kTlsCertificateRefused);
    return kSeeRefused;
  }
  const Sha256Digest key =
      Sha256::Of({certificate->pk_raw.p, certificate->pk_raw.len});
  bool matched = false;
  for (size_t i = 0; i < self->pin_count_; ++i) {
    uint8_t difference = 0;
    for (size_t k = 0; k < key.size(); ++k) {
      difference =
          static_cast<uint8_t>(difference | (key[k] ^ self->pins_[i][k]));
    }
    matched |= difference == 0;
  }
  if (!matched) {
    self->refused_ = Status(Code::kUnauthenticated, kPinMismatch);
    return kSeeRefused;
  }
  self->pin_matched_ = true;
  return 0;
}

Status TlsClient::Fail(int mbedtls_error) {
  error_ = refused_.ok() ? StatusOfTls(mbedtls_error) : refused_;
  state_ = State::kFailed;
  return error_;
}

Result<Step> TlsClient::Handshake() {
  switch (state_) {
    case State::kOpen:
      return Step::kDone;
    case State::kFailed:
      return error_;
    case State::kIdle:
    case State::kClosed:
      return Status(Code::kFailedPrecondition, kTlsWrongState);
    case State::kHandshake:
      break;
  }
  received_in_call_ = 0;
  const int result = mbedtls_ssl_handshake(&ssl_);
  if (IsWait(result)) return Step::kWaiting;
  if (result != 0) return Fail(result);
  // Mbed TLS would have to skip the callback: a bug, and no session.
  if (!pin_matched_) {
    refused_ = Status(Code::kInternal, kTlsInternal);
    return Fail(0);
  }
  state_ = State::kOpen;
  received_idle_ = 0;
  return Step::kDone;
}

Status TlsClient::RequireOpen() const {
  if (state_ == State::kFailed) return error_;
  if (state_ != State::kOpen) {
    return Status(Code::kFailedPrecondition, kTlsWrongState);
  }
  return {};
}

Result<size_t> TlsClient::Read(base::MutableBytes out) {
  BASE_TRY(RequireOpen());
  BASE_TRY(Flush());
  received_in_call_ = 0;
  const int result = mbedtls_ssl_read(&ssl_, out.data(), out.size());
  if (IsWait(result)) return size_t{0};
  // 0 is an end of `lower` that Receive() never reports; fail all the same.
  if (result <= 0) return Fail(result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
  received_idle_ = 0;
  return static_cast<size_t>(result);
}

Result<size_t> TlsClient::Write(base::Bytes bytes) {
  BASE_TRY(RequireOpen());
  BASE_TRY_ASSIGN(const Step flushed, Flush());
  if (flushed == Step::kWaiting || bytes.empty()) return size_t{0};
  const int result = mbedtls_ssl_write(&ssl_, bytes.data(), bytes.size());
  if (result == MBEDTLS_ERR_SSL_WANT_WRITE) {
    // The record is made and holds these bytes; Flush() sends the rest of it.
    const int most = mbedtls_ssl_get_max_out_record_payload(&ssl_);
    if (most <= 0) return Fail(most);
    unsent_ = bytes.size() < static_cast<size_t>(most)
                  ? bytes.size()
                  : static_cast<size_t>(most);
    return size_t{unsent_};
  }
  if (result < 0) return Fail(result);
  return static_cast<size_t>(result);
}

Result<Step> TlsClient::Flush() {
  BASE_TRY(RequireOpen());
  if (unsent_ == 0) return Step::kDone;
  // With a record in its buffer Mbed TLS sends that and reads no argument but
  // the size, which has to be the same again.
  static constexpr uint8_t kNotRead = 0;
  const int result = mbedtls_ssl_write(&ssl_, &kNotRead, unsent_);
  if (result == MBEDTLS_ERR_SSL_WANT_WRITE) return Step::kWaiting;
  if (result < 0) return Fail(result);
  unsent_ = 0;
  return Step::kDone;
}

Status TlsClient::Export(const char* label, base::Bytes context,
                         base::MutableBytes out) {
  base::SecureZero(out.data(), out.size());
  BASE_TRY(RequireOpen());
  if (mbedtls_ssl_export_keying_material(
          &ssl_, out.data(), out.size(), label, strlen(label), context.data(),
          context.size(), /*use_context=*/1) != 0) {
    base::SecureZero(out.data(), out.size());
    return Status(Code::kInternal, kTlsInternal);
  }
  return {};
}

Result<Step> TlsClient::Close() {
  if (state_ == State::kClosed) return Step::kDone;
  BASE_TRY_ASSIGN(const Step flushed, Flush());
  if (flushed == Step::kWaiting) return Step::kWaiting;
  const int result = mbedtls_ssl_close_notify(&ssl_);
  if (IsWait(result)) return Step::kWaiting;
  if (result != 0) return Fail(result);
  state_ = State::kClosed;
  return Step::kDone;
}

void TlsClient::Wipe() {
  if (state_ == State::kIdle) return;
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
  mbedtls_x509_crt_free(&no_authorities_);
  mbedtls_psa_crypto_free();
  InstallPsaRng(nullptr);
  mbedtls_ssl_init(&ssl_);
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&no_authorities_);
  lower_ = nullptr;
  rng_ = nullptr;
  pins_ = {};
  pin_count_ = 0;
  unsent_ = 0;
  received_in_call_ = 0;
  received_idle_ = 0;
  pin_matched_ = false;
  refused_ = {};
  error_ = {};
  state_ = State::kIdle;
}

}  // namespace crypto
