// SPDX-License-Identifier: Apache-2.0
#include "crypto/rng.h"

#include <string.h>

#include "base/secret_buffer.h"
#include "crypto/reasons.h"
#include "psa/crypto.h"

namespace crypto {
namespace {

using base::Code;
using base::Status;

Rng* g_psa_rng = nullptr;

}  // namespace

int Rng::Gather(void* self_pointer, unsigned char* out, size_t size) {
  auto* self = static_cast<Rng*>(self_pointer);
  self->source_error_ = self->source_->Fill({out, size});
  return self->source_error_.ok() ? 0
                                  : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

Status Rng::Seed(EntropySource& source, base::Bytes personalisation) {
  Wipe();
  if (personalisation.size() > kMaxPersonalisation) {
    return Status(Code::kInvalidArgument, base::kLengthOverLimit);
  }
  mbedtls_ctr_drbg_init(&drbg_);
  source_ = &source;
  source_error_ = {};
  if (mbedtls_ctr_drbg_seed(&drbg_, &Gather, this, personalisation.data(),
                            personalisation.size()) != 0) {
    const Status error = source_error_;
    Wipe();
    return error.ok() ? Status(Code::kResourceExhausted, kEntropyFailed)
                      : error;
  }
  seeded_ = true;
  return {};
}

Status Rng::Generate(base::MutableBytes out) {
  if (!seeded_) {
    base::SecureZero(out.data(), out.size());
    return Status(Code::kFailedPrecondition, kRngNotReady);
  }
  for (base::MutableBytes rest = out; !rest.empty();) {
    const size_t part = rest.size() < MBEDTLS_CTR_DRBG_MAX_REQUEST
                            ? rest.size()
                            : MBEDTLS_CTR_DRBG_MAX_REQUEST;
    if (mbedtls_ctr_drbg_random(&drbg_, rest.data(), part) != 0) {
      base::SecureZero(out.data(), out.size());
      return Status(Code::kUnavailable, kEntropyFailed);
    }
    rest = rest.subspan(part);
  }
  return {};
}

void Rng::Wipe() {
  mbedtls_ctr_drbg_free(&drbg_);
  source_ = nullptr;
  seeded_ = false;
}

void InstallPsaRng(Rng* rng) { g_psa_rng = rng; }

}  // namespace crypto

// MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG: where PSA crypto comes for randomness.
extern "C" psa_status_t mbedtls_psa_external_get_random(
    mbedtls_psa_external_random_context_t*, uint8_t* output, size_t size,
    size_t* output_length) {
  *output_length = 0;
  if (crypto::g_psa_rng == nullptr ||
      !crypto::g_psa_rng->Generate({output, size}).ok()) {
    return PSA_ERROR_INSUFFICIENT_ENTROPY;
  }
  *output_length = size;
  return PSA_SUCCESS;
}
