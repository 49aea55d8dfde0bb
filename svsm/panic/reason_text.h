// SPDX-License-Identifier: Apache-2.0
//
// The words for every reason that can end a boot: the lists of all modules
// that the image links.
#pragma once

#include <string_view>

#include "base/result.h"

namespace svsm {

// Lower case, no full stop; "unknown reason" for one that no list has.
std::string_view ReasonText(base::Reason reason);

}  // namespace svsm
