// SPDX-License-Identifier: Apache-2.0
//
// The one random generator: CTR_DRBG with AES-256 (NIST SP 800-90A), seeded by
// what the platform calls entropy. TLS and PSA crypto draw from it too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "mbedtls/ctr_drbg.h"

namespace crypto {

class EntropySource {
 public:
  // Fills all of `out` with full-entropy bytes, or fails.
  virtual base::Status Fill(base::MutableBytes out) = 0;

 protected:
  EntropySource() = default;
  ~EntropySource() = default;
};

class Rng {
 public:
  // Bytes of personalisation that Seed() takes.
  static constexpr size_t kMaxPersonalisation = 256;

  Rng() { mbedtls_ctr_drbg_init(&drbg_); }
  ~Rng() { Wipe(); }
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  // Seeds (again). `source` must live until Wipe(): the generator comes back to
  // it for more. `personalisation` is mixed in and may be secret (VMPCK0): an
  // entropy source that the host foresees is not enough then.
  //   The source's own status; kResourceExhausted (kEntropyFailed).
  base::Status Seed(EntropySource& source, base::Bytes personalisation);

  // Fills `out`, of any size. On failure `out` is all zero.
  //   kFailedPrecondition: not seeded.
  //   kUnavailable (kEntropyFailed): it wanted new entropy and got none.
  base::Status Generate(base::MutableBytes out);

  bool seeded() const { return seeded_; }

  // Zeroises the generator's state.
  void Wipe();

 private:
  static int Gather(void* self, unsigned char* out, size_t size);

  mbedtls_ctr_drbg_context drbg_;
  EntropySource* source_ = nullptr;
  base::Status source_error_;
  bool seeded_ = false;
};

// Makes `rng` the generator of PSA crypto (inside Mbed TLS), which is global;
// nullptr: it has none, and PSA operations that need one fail. TlsClient does
// this by itself.
void InstallPsaRng(Rng* rng);

}  // namespace crypto
