// SPDX-License-Identifier: Apache-2.0
//
// Vectors that are a list of measured pages and the launch digest they give.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/error.h"
#include "cli/reasons.h"
#include "cli/vectors/json.h"
#include "cli/vectors/judge.h"
#include "launch/measure.h"
#include "sev/page_info.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

constexpr size_t kMaxPages = 1 << 20;

struct PageList {
  sev::LaunchDigest measured{};
  sev::LaunchDigest expected{};
};

absl::Status Bad(std::string_view what) { return Error(kVectorPages, what); }

bool DigestOf(const std::string* hex, sev::LaunchDigest& out) {
  return hex != nullptr && verifier::ossl::FromHex(*hex, out);
}

std::optional<sev::PageType> PageTypeOf(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto type = value.get<uint64_t>();
  if (type < static_cast<uint64_t>(sev::PageType::kNormal) ||
      type > static_cast<uint64_t>(sev::PageType::kCpuid)) {
    return std::nullopt;
  }
  return static_cast<sev::PageType>(type);
}

std::optional<uint64_t> AddressOf(const Json& value) {
  uint64_t gpa = 0;
  if (value.is_number_unsigned()) {
    gpa = value.get<uint64_t>();
  } else {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr || !text->starts_with("0x") ||
        !absl::SimpleHexAtoi(*text, &gpa)) {
      return std::nullopt;
    }
  }
  if (gpa % sev::kMeasuredPageSize != 0) return std::nullopt;
  return gpa;
}

absl::Status AddRow(const Json& row, launch::LaunchMeasurement& measurement) {
  constexpr size_t kColumns = 3;  // page_type, gpa, contents_sha384
  if (!row.is_array() || row.size() != kColumns) return Bad("a row");
  const auto type = PageTypeOf(row[0]);
  if (!type) return Bad("a page type");
  const auto gpa = AddressOf(row[1]);
  if (!gpa) return Bad("an address");
  sev::LaunchDigest contents;
  if (!DigestOf(row[2].get_ptr<const std::string*>(), contents)) {
    return Bad("contents_sha384");
  }
  if (!sev::IsHashed(*type) && !base::AllZero(contents)) {
    return Bad("contents of a page that is not hashed");
  }
  measurement.AddPage(*type, *gpa, contents);
  return absl::OkStatus();
}

absl::StatusOr<PageList> Measure(base::Bytes text) {
  // EDGE: char may alias the bytes.
  const auto json = ParseJson(
      {reinterpret_cast<const char*>(text.data()), text.size()}, "pages");
  if (!json.ok()) return json.status();
  PageList list;
  if (!DigestOf(StringMember(*json, "expected_launch_digest"), list.expected)) {
    return Bad("expected_launch_digest");
  }
  sev::LaunchDigest seed{};
  if (Member(*json, "seed_ld") != nullptr &&
      !DigestOf(StringMember(*json, "seed_ld"), seed)) {
    return Bad("seed_ld");
  }
  const Json* updates = Member(*json, "page_info_updates");
  const auto* rows =
      updates == nullptr ? nullptr : ArrayMember(*updates, "rows");
  if (rows == nullptr || rows->empty() || rows->size() > kMaxPages) {
    return Bad("page_info_updates.rows");
  }
  if (const Json* columns = Member(*updates, "columns");
      columns != nullptr &&
      *columns != Json({"page_type", "gpa", "contents_sha384"})) {
    return Bad("page_info_updates.columns");
  }
  launch::LaunchMeasurement measurement(seed);
  for (const Json& row : *rows) {
    absl::Status status = AddRow(row, measurement);
    if (!status.ok()) return status;
  }
  list.measured = measurement.digest();
  return list;
}

}  // namespace

Judgement JudgeLaunch(const LoadedVector& vector, const VectorContext&) {
  const base::Bytes text = vector.File("vector");
  // Inputs alone (a kernel for firmware without a place for its hash): there
  // is nothing that the secure processor could have measured.
  if (text.empty()) return Refuse("page_list", "no list of pages");
  const auto list = Measure(text);
  if (!list.ok()) {
    return Refuse("page_list", std::string(list.status().message()));
  }
  if (list->measured != list->expected) {
    return Refuse(
        "launch_digest",
        absl::StrCat("measured ", verifier::ossl::Hex(list->measured)));
  }
  return Conclude({});
}

}  // namespace cli
