// SPDX-License-Identifier: Apache-2.0
//
// JSON of unknown origin: parsed without exceptions, to a bounded depth. What
// is read from it says when it is of another kind than expected.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace verifier::conformance {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 32;

// CL40: not JSON, or nested deeper than kMaxJsonDepth. `name` is for messages.
absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view name);

// A member of an object. Null: `object` is no object, or has no such member, or
// the member is null.
const Json* Member(const Json& object, const char* key);

// The member if it is a string or an array; null: it is not.
const std::string* StringMember(const Json& object, const char* key);
const Json::array_t* ArrayMember(const Json& object, const char* key);

}  // namespace verifier::conformance
