// SPDX-License-Identifier: Apache-2.0
#include "hosted/certificate_names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace hosted {
namespace {

constexpr std::string_view kVlek = "vlek-";

std::string TcbPart(uint64_t tcb) { return absl::StrFormat("-%016x", tcb); }

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '.' || c == '_' || c == '-') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

}  // namespace

std::string VcekName(base::Bytes chip_id, uint64_t reported_tcb) {
  // EDGE: bytes as characters.
  const std::string_view chip(reinterpret_cast<const char*>(chip_id.data()),
                              chip_id.size());
  return absl::StrCat("vcek-", absl::BytesToHexString(chip),
                      TcbPart(reported_tcb));
}

std::string VlekName(std::string_view csp_id, uint64_t reported_tcb) {
  return absl::StrCat(kVlek, PercentEncoded(absl::StripPrefix(csp_id, "CN=")),
                      TcbPart(reported_tcb));
}

bool IsVlekTable(std::string_view file, uint64_t reported_tcb) {
  const std::string end =
      absl::StrCat(TcbPart(reported_tcb), kCertificateTable);
  return file.size() > kVlek.size() + end.size() && file.starts_with(kVlek) &&
         file.ends_with(end);
}

}  // namespace hosted
