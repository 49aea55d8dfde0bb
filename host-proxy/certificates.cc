// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/certificates.h"

#include <array>
#include <cstddef>
#include <fstream>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/reasons.h"
#include "host-proxy/reasons.h"
#include "proto/channel.h"
#include "sev/cert_table.h"

namespace host_proxy {
namespace {

std::string Message(std::string_view what, const std::string& path) {
  return absl::StrCat(base::NameOf(kCertificatesUnusable).text, " ", what, ": ",
                      path);
}

absl::StatusOr<std::vector<uint8_t>> ReadCertificate(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(Message("cannot open", path));
  std::vector<uint8_t> bytes(proto::channel::kMaxCertificateTable + 1);
  // EDGE: iostreams read characters.
  file.read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (file.bad() || bytes.empty() ||
      bytes.size() > proto::channel::kMaxCertificateTable) {
    return absl::InvalidArgumentError(
        Message("empty, unreadable or too large", path));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> LoadCertificateTable(
    const std::string& folder, base::Bytes chip_id, uint64_t tcb) {
  // EDGE: bytes as characters. Hex digits only: no way out of the folder.
  const std::string chip = absl::BytesToHexString(
      {reinterpret_cast<const char*>(chip_id.data()), chip_id.size()});
  auto vcek = ReadCertificate(
      absl::StrFormat("%s/vcek-%s-%016x.der", folder, chip, tcb));
  if (!vcek.ok()) return vcek.status();
  auto ask = ReadCertificate(folder + "/ask.der");
  if (!ask.ok()) return ask.status();
  auto ark = ReadCertificate(folder + "/ark.der");
  if (!ark.ok()) return ark.status();
  const std::array<sev::CertTableEntry, 3> entries = {{
      {sev::kGuidVcek, *vcek},
      {sev::kGuidAsk, *ask},
      {sev::kGuidArk, *ark},
  }};
  std::vector<uint8_t> table(proto::channel::kMaxCertificateTable);
  const auto size = sev::PackCertTable(entries, table);
  if (!size.ok()) {
    return absl::ResourceExhaustedError(
        Message("the certificates are larger than 12 KiB", folder));
  }
  table.resize(*size);
  return table;
}

}  // namespace host_proxy
