// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/json.h"

#include "absl/strings/str_cat.h"
#include "verifier/conformance/error.h"
#include "verifier/conformance/reasons.h"

namespace verifier::conformance {

absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view name) {
  bool too_deep = false;
  // Throws away what is deeper, so that no tree of it is ever built.
  const Json::parser_callback_t keep = [&](int depth, Json::parse_event_t,
                                           Json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return depth <= kMaxJsonDepth;
  };
  Json json = Json::parse(text, keep, /*allow_exceptions=*/false);
  if (json.is_discarded() || too_deep) {
    return Error(
        kVectorsManifest,
        absl::StrCat(name, too_deep ? ": nested too deep" : ": not JSON"));
  }
  return json;
}

const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const std::string* StringMember(const Json& object, const char* key) {
  const Json* member = Member(object, key);
  return member == nullptr ? nullptr : member->get_ptr<const std::string*>();
}

const Json::array_t* ArrayMember(const Json& object, const char* key) {
  const Json* member = Member(object, key);
  return member == nullptr ? nullptr : member->get_ptr<const Json::array_t*>();
}

}  // namespace verifier::conformance
