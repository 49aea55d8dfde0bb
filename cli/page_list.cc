// SPDX-License-Identifier: Apache-2.0
#include "cli/page_list.h"

#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "cli/error.h"
#include "hosted/text.h"
#include "launch/measure.h"
#include "verifier/conformance/json.h"
#include "verifier/conformance/reasons.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::conformance::ArrayMember;
using verifier::conformance::Json;
using verifier::conformance::kVectorPages;
using verifier::conformance::Member;
using verifier::conformance::StringMember;

constexpr size_t kMaxPages = 1 << 20;

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

absl::Status AddRow(const Json& row, launch::LaunchMeasurement& measurement,
                    std::vector<launch::MeasuredPage>& pages) {
  constexpr size_t kColumns = 3;  // page_type, gpa, contents_sha384
  if (!row.is_array() || row.size() != kColumns) return Bad("a row");
  const auto type = PageTypeOf(row[0]);
  if (!type) return Bad("a page type");
  const auto gpa = AddressOf(row[1]);
  if (!gpa) return Bad("an address");
  launch::MeasuredPage page = {.gpa = *gpa, .type = *type};
  if (!DigestOf(row[2].get_ptr<const std::string*>(), page.contents)) {
    return Bad("contents_sha384");
  }
  if (!sev::IsHashed(*type) && !base::AllZero(page.contents)) {
    return Bad("contents of a page that is not hashed");
  }
  measurement.AddPage(page.type, page.gpa, page.contents);
  page.digest = measurement.digest();
  pages.push_back(page);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PageList> ReadPageList(base::Bytes text) {
  const auto json =
      verifier::conformance::ParseJson(hosted::AsText(text), "pages");
  if (!json.ok()) return json.status();
  PageList list;
  if (Member(*json, "expected_launch_digest") != nullptr &&
      !DigestOf(StringMember(*json, "expected_launch_digest"),
                list.expected.emplace())) {
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
    absl::Status status = AddRow(row, measurement, list.pages);
    if (!status.ok()) return status;
  }
  list.digest = measurement.digest();
  return list;
}

}  // namespace cli
