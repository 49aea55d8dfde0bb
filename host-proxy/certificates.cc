// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/certificates.h"

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "host-proxy/error.h"
#include "hosted/certificate_names.h"
#include "hosted/files.h"
#include "hosted/text.h"
#include "proto/channel.h"

namespace host_proxy {
namespace {

namespace fs = std::filesystem;

// What the folder has beside the VCEK's file.
struct Listing {
  std::string vlek;  // The first by name; empty: none.
  size_t vleks = 0;
  bool has_single_certificates = false;
};

Listing List(const std::string& folder, uint64_t tcb) {
  Listing found;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::string name = at->path().filename();
    if (name.ends_with(".der")) found.has_single_certificates = true;
    if (!hosted::IsVlekTable(name, tcb)) continue;
    ++found.vleks;
    if (found.vlek.empty() || name < found.vlek) found.vlek = std::move(name);
  }
  return found;
}

std::string WhatToRun(const std::string& folder, const Listing& listing) {
  if (listing.has_single_certificates) {
    return absl::StrCat(
        "; certificates in files of their own are not sent; run `forelock "
        "roots prepare ",
        folder, "`");
  }
  return absl::StrCat("; `forelock roots prepare --to ", folder,
                      " DIR` makes it, of the certificates in DIR");
}

}  // namespace

absl::StatusOr<CertificateFile> LoadCertificates(const std::string& folder,
                                                 base::Bytes chip_id,
                                                 uint64_t tcb) {
  const Listing listing = List(folder, tcb);
  const std::string path = absl::StrCat(
      folder, "/",
      listing.vlek.empty() ? absl::StrCat(hosted::VcekName(chip_id, tcb),
                                          hosted::kCertificateTable)
                           : listing.vlek);
  auto bytes =
      hosted::ReadRegularFile(path, proto::channel::kMaxCertificateTable);
  if (!bytes.ok()) {
    return Error(
        kCertificatesUnusable,
        absl::StrCat(
            hosted::Printable(bytes.status().message()),
            absl::IsNotFound(bytes.status()) ? WhatToRun(folder, listing) : ""),
        bytes.status().code());
  }
  if (bytes->empty()) {
    return Error(kCertificatesUnusable,
                 absl::StrCat(hosted::Printable(path), ": empty"));
  }
  CertificateFile file{.bytes = *std::move(bytes), .note = {}};
  if (listing.vleks > 1) {
    file.note =
        absl::StrCat(folder, ": ", listing.vleks, " VLEKs of this TCB; sends ",
                     hosted::Printable(listing.vlek));
  }
  return file;
}

}  // namespace host_proxy
