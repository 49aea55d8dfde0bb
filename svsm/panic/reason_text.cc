// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/reason_text.h"

#include "attest/reasons.h"
#include "base/reasons.h"
#include "crypto/reasons.h"
#include "proto/reasons.h"
#include "proxy/reasons.h"
#include "sev/reasons.h"
#include "svsm/linux/reasons.h"
#include "svsm/platform/guest_request/reasons.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/reasons.h"

// The image carries what happened; the advice is in docs/errors.md.
#define SVSM_REASON_CASE(name, tag0, tag1, number, what, advice) \
  case base::Reason{tag0, tag1, number}.bits:                    \
    return what;

namespace svsm {

std::string_view ReasonText(base::Reason reason) {
  switch (reason.bits) {
    FORELOCK_BASE_REASONS(SVSM_REASON_CASE)
    FORELOCK_ATTEST_REASONS(SVSM_REASON_CASE)
    FORELOCK_CRYPTO_REASONS(SVSM_REASON_CASE)
    FORELOCK_PROTO_REASONS(SVSM_REASON_CASE)
    FORELOCK_SEV_REASONS(SVSM_REASON_CASE)
    FORELOCK_PROXY_REASONS(SVSM_REASON_CASE)
    FORELOCK_SVSM_REASONS(SVSM_REASON_CASE)
    FORELOCK_LOADER_REASONS(SVSM_REASON_CASE)
    FORELOCK_GUEST_REQUEST_REASONS(SVSM_REASON_CASE)
    FORELOCK_SNP_REASONS(SVSM_REASON_CASE)
  }
  return "unknown reason";
}

}  // namespace svsm
