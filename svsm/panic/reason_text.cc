// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/reason_text.h"

#include "base/reasons.h"
#include "svsm/reasons.h"

// The image carries what happened; the advice is in docs/errors.md.
#define SVSM_REASON_CASE(name, tag0, tag1, number, what, advice) \
  case base::Reason{tag0, tag1, number}.bits:                    \
    return what;

namespace svsm {

std::string_view ReasonText(base::Reason reason) {
  switch (reason.bits) {
    FORELOCK_BASE_REASONS(SVSM_REASON_CASE)
    FORELOCK_SVSM_REASONS(SVSM_REASON_CASE)
  }
  return "unknown reason";
}

}  // namespace svsm
