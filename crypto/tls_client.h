// SPDX-License-Identifier: Apache-2.0
//
// TlsClient: the guest's end of TLS 1.3 (RFC 8446) to a server that is known by
// its public key alone.
//
// Profile (design section 5): TLS 1.3 only, TLS_AES_256_GCM_SHA384, key
// exchange and signatures on P-256 or P-384; no PSK, tickets, resumption, early
// data, client certificate, post-handshake authentication or KeyUpdate. A
// NewSessionTicket is skipped; any other message after the handshake ends the
// session.
//
// The pin is SHA-256 of the SubjectPublicKeyInfo of the server's first
// certificate, the key whose CertificateVerify the handshake checks. It is
// compared when the Certificate message arrives: with a key that is not pinned
// the handshake fails, before Finished and so before any application byte.
// Names, dates, issuers and the other certificates prove nothing and are not
// looked at.
//
// Never waits, and never works for long: anybody on the way can send records
// that TLS skips (ChangeCipherSpec, warnings before the server's keys are
// there), so each call takes kMaxBytesPerCall from below at most, and then says
// kWaiting or 0 although more may be there: call again. The handshake may take
// kMaxIdleBytes, and after it so many may come without application data.
//
// Memory: inline, and the Mbed TLS heap (peak in README.md). PSA
// crypto in Mbed TLS is global, so one TlsClient is in use at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/rng.h"
#include "crypto/secure_channel.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

namespace crypto {

using Pin = std::array<uint8_t, 32>;

class TlsClient final : public SecureChannel {
 public:
  static constexpr size_t kMaxPins = 4;
  // Two of the largest records, and several times a handshake.
  static constexpr size_t kMaxBytesPerCall = 32 * 1024;
  static constexpr size_t kMaxIdleBytes = 128 * 1024;

  TlsClient();
  ~TlsClient() { Wipe(); }

  // Begins a session over `lower`. Both references must live until Wipe().
  //   kInvalidArgument (kPinsInvalid): no pin, or more than kMaxPins.
  //   kFailedPrecondition (kRngNotReady): `rng` is not seeded.
  //   kFailedPrecondition (kTlsWrongState): a session is in use.
  //   kResourceExhausted (kTlsOutOfMemory): no heap.
  base::Status Start(base::ByteStream& lower, Rng& rng,
                     std::span<const Pin> pins);

  // Call until kDone. An error ends the session; later calls repeat it.
  //   kUnauthenticated (kPinMismatch): the server has another key.
  //   kUnauthenticated (kTlsCertificateRefused, kTlsNotAuthentic).
  //   kPermissionDenied (kTlsRefused): no common version or algorithm.
  //   kUnavailable (kTlsAlert, kTlsTruncated): the server ended it.
  //   kDataLoss (kTlsMalformed, kTlsUnexpectedMessage): not TLS 1.3.
  //   kDataLoss (kTlsFlood): kMaxIdleBytes, and no end.
  //   kResourceExhausted (kTlsOutOfMemory).
  //   An error of `lower`, as it is.
  base::Result<base::Step> Handshake();

  // base::ByteStream, once Handshake() is done. Both calls also push out what
  // an earlier Write() left behind.
  //   kUnavailable (base::kStreamClosed): the server sent close_notify.
  //   kFailedPrecondition (kTlsWrongState): the handshake is not done.
  //   Others: as for Handshake().
  base::Result<size_t> Read(base::MutableBytes out) override;
  base::Result<size_t> Write(base::Bytes bytes) override;

  // Pushes out what an earlier Write() left behind; kDone: nothing is left.
  base::Result<base::Step> Flush();

  base::Status Export(const char* label, base::Bytes context,
                      base::MutableBytes out) override;

  // Sends what is left and close_notify; call until kDone. The session is not
  // usable afterwards.
  base::Result<base::Step> Close();

  // Ends the session without a word and zeroises everything of it, in Mbed TLS
  // and PSA crypto too. Start() may follow.
  void Wipe();

 private:
  enum class State : uint8_t { kIdle, kHandshake, kOpen, kClosed, kFailed };

  static int Send(void* self, const unsigned char* bytes, size_t size);
  static int Receive(void* self, unsigned char* out, size_t size);
  static int Random(void* self, unsigned char* out, size_t size);
  static int CheckCertificate(void* self, mbedtls_x509_crt* certificate,
                              int depth, uint32_t* flags);

  base::Status Configure();
  base::Status RequireOpen() const;
  base::Status Fail(int mbedtls_error);

  mbedtls_ssl_context ssl_;
  mbedtls_ssl_config config_;
  mbedtls_x509_crt no_authorities_;  // Mbed TLS wants a chain; it stays empty.
  base::ByteStream* lower_ = nullptr;
  Rng* rng_ = nullptr;
  std::array<Pin, kMaxPins> pins_;
  size_t pin_count_ = 0;
  // Bytes that Write() has accepted in a record not yet wholly sent.
  size_t unsent_ = 0;
  size_t received_in_call_ = 0;
  // In the handshake, and since the last application data.
  size_t received_idle_ = 0;
  State state_ = State::kIdle;
  bool pin_matched_ = false;
  base::Status refused_;  // Why a callback made Mbed TLS fail.
  base::Status error_;    // With kFailed.
};

}  // namespace crypto
