// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/certificates.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "host-proxy/error.h"
#include "hosted/files.h"
#include "proto/channel.h"
#include "sev/cert_table.h"

namespace host_proxy {
namespace {

absl::StatusOr<std::vector<uint8_t>> ReadCertificate(const std::string& path) {
  auto bytes =
      hosted::ReadRegularFile(path, proto::channel::kMaxCertificateTable);
  if (!bytes.ok()) {
    return Error(kCertificatesUnusable, bytes.status().message(),
                 bytes.status().code());
  }
  if (bytes->empty()) {
    return Error(kCertificatesUnusable, absl::StrCat(path, ": empty"));
  }
  return bytes;
}

// Left out if it is not there: the verifier may have it by import.
absl::StatusOr<std::vector<uint8_t>> ReadIfPresent(const std::string& path) {
  auto bytes = ReadCertificate(path);
  if (absl::IsNotFound(bytes.status())) return std::vector<uint8_t>();
  return bytes;
}

// The first by name, of the providers that this firmware has a VLEK of; empty:
// none.
std::string FindVlek(const std::string& folder, uint64_t tcb) {
  namespace fs = std::filesystem;
  const std::string end = absl::StrFormat("-%016x.der", tcb);
  std::string found;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.starts_with("vlek-") && name.ends_with(end) &&
        (found.empty() || name < found)) {
      found = name;
    }
  }
  return found;
}

// Where ask.der and the others are: `forelock roots import` makes a folder for
// each product. Of several of those none can be chosen by name.
std::string AuthoritiesFolder(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder + "/ark.der", ignored)) return folder;
  std::string found;
  for (const char* product : {"/milan", "/genoa", "/turin"}) {
    if (!std::filesystem::exists(folder + product + "/ark.der", ignored)) {
      continue;
    }
    if (!found.empty()) return folder;
    found = folder + product;
  }
  return found.empty() ? folder : found;
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> LoadCertificateTable(
    const std::string& folder, base::Bytes chip_id, uint64_t tcb) {
  const std::string vlek = FindVlek(folder, tcb);
  // EDGE: bytes as characters. Hex digits only: no way out of the folder.
  const std::string chip = absl::BytesToHexString(
      {reinterpret_cast<const char*>(chip_id.data()), chip_id.size()});
  auto leaf = ReadCertificate(absl::StrCat(
      folder, "/",
      vlek.empty() ? absl::StrFormat("vcek-%s-%016x.der", chip, tcb) : vlek));
  if (!leaf.ok()) return leaf.status();
  const std::string authorities = AuthoritiesFolder(folder);
  auto signer =
      ReadIfPresent(authorities + (vlek.empty() ? "/ask.der" : "/asvk.der"));
  if (!signer.ok()) return signer.status();
  auto ark = ReadIfPresent(authorities + "/ark.der");
  if (!ark.ok()) return ark.status();
  auto crl = ReadIfPresent(authorities + "/crl.der");
  if (!crl.ok()) return crl.status();
  const std::array<sev::CertTableEntry, 4> entries = {{
      {vlek.empty() ? sev::kGuidVcek : sev::kGuidVlek, *leaf},
      {sev::kGuidAsk, *signer},
      {sev::kGuidArk, *ark},
      {sev::kGuidCrl, *crl},
  }};
  std::vector<uint8_t> table(proto::channel::kMaxCertificateTable);
  const auto size = sev::PackCertTable(entries, table);
  if (!size.ok()) {
    return Error(kCertificatesUnusable,
                 absl::StrCat(folder, ": together larger than 12 KiB"),
                 absl::StatusCode::kResourceExhausted);
  }
  table.resize(*size);
  return table;
}

}  // namespace host_proxy
