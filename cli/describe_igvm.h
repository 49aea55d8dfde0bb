// SPDX-License-Identifier: Apache-2.0
//
// Headers of IGVM files as names and values, for tables and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "launch/igvm/igvm.h"
#include "nlohmann/json.hpp"

namespace cli {

// "page data", "type 0x3f1"; "optional " before it where it may be left out.
std::string HeaderName(const igvm::Header& header);

// Numbers in hex are strings, as are bytes; what a header points to is
// described by its size only.
nlohmann::ordered_json HeaderFields(const igvm::Header& header);

// {"number": 3, "offset": "0x60", "type": "0x302", "name": ..., fields}
nlohmann::ordered_json HeaderJson(size_t number, const igvm::Header& header);

// The bytes that a header points to, or an unknown header's own; may be empty.
base::Bytes DataOf(const igvm::Header& header);

// Lines of 16 bytes: address, hex, characters. Runs of equal lines are one "*".
std::string HexDump(base::Bytes bytes, uint64_t address);

}  // namespace cli
