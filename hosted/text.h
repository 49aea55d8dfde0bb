// SPDX-License-Identifier: Apache-2.0
//
// Text that others had a say in, made fit to be shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hosted {

// For a terminal or a log: what is not printable ASCII as \xNN. Whatever a
// peer, a file or a database had a say in goes through this before it is shown.
std::string Printable(std::string_view text);

// "PC7" of a reason code that a peer sent (base::Reason's bits); "?" if its tag
// is not two capital letters.
std::string ForeignReason(uint32_t bits);

}  // namespace hosted
