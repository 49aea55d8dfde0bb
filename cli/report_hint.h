// SPDX-License-Identifier: Apache-2.0
//
// What a file seems to be that should hold a report and does not: for a hint in
// a message, never for a decision.
#pragma once

#include <string>

#include "base/bytes.h"

namespace cli {

// "hex text; `xxd -r -p` makes bytes of it"; empty if nothing fits.
std::string ReportHint(base::Bytes file);

}  // namespace cli
