// SPDX-License-Identifier: Apache-2.0
//
// Every module's reason codes in one table, for docs/errors.md and for the test
// that no two are the same. A new reasons.h is a new row in all_reasons.cc;
// //tests/lint fails until it is there.
#pragma once

#include <span>

#include "base/reasons.h"

namespace reasons {

struct ReasonModule {
  const char* folder;
  const char* where;  // whose output shows it
  std::span<const base::ReasonRow> rows;
};

// In no special order.
std::span<const ReasonModule> AllReasons();

}  // namespace reasons
