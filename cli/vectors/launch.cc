// SPDX-License-Identifier: Apache-2.0
//
// Vectors that are a list of measured pages and the launch digest they give.
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/page_list.h"
#include "cli/vectors/judge.h"
#include "verifier/ossl/ossl.h"

namespace cli {

Judgement JudgeLaunch(const LoadedVector& vector, const VectorContext&) {
  const base::Bytes text = vector.File("vector");
  // Inputs alone (a kernel for firmware without a place for its hash): there
  // is nothing that the secure processor could have measured.
  if (text.empty()) return Refuse("page_list", "no list of pages");
  const auto list = ReadPageList(text);
  if (!list.ok()) {
    return Refuse("page_list", std::string(list.status().message()));
  }
  if (!list->expected) return Refuse("page_list", "no expected_launch_digest");
  if (list->digest != *list->expected) {
    return Refuse("launch_digest",
                  absl::StrCat("measured ", verifier::ossl::Hex(list->digest)));
  }
  return Conclude({});
}

}  // namespace cli
