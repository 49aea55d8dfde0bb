// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/kds.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sev/tcb.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr long kOk = 200;
constexpr long kNotFound = 404;
constexpr long kTooManyRequests = 429;

constexpr std::chrono::seconds kWaitIfNotSaid{5};

}  // namespace

std::string VcekPath(sev::Product product, std::span<const uint8_t, 64> chip_id,
                     uint64_t tcb) {
  const sev::Tcb parts = sev::DecodeTcb(tcb, product);
  const std::string fmc = product == sev::Product::kTurin
                              ? absl::StrFormat("fmcSPL=%02d&", parts.fmc)
                              : "";
  return absl::StrFormat(
      "/vcek/v1/%s/%s?%sblSPL=%02d&teeSPL=%02d&snpSPL=%02d&ucodeSPL=%02d",
      sev::NameOf(product),
      ossl::Hex(chip_id.first(sev::HardwareIdSize(product))), fmc,
      parts.boot_loader, parts.tee, parts.snp, parts.microcode);
}

std::string ChainPath(sev::Product product, std::string_view key_kind) {
  return absl::StrCat("/", key_kind, "/v1/", sev::NameOf(product),
                      "/cert_chain");
}

std::string CrlPath(sev::Product product) {
  return absl::StrCat("/vcek/v1/", sev::NameOf(product), "/crl");
}

absl::StatusOr<Kds> Kds::Create(const std::string& base_url) {
  auto checked = CheckBaseUrl(base_url);
  if (!checked.ok()) return checked.status();
  return Kds(
      *std::move(checked),
      [](const std::string& url) { return HttpGet(url, HttpLimits()); },
      [](std::chrono::seconds time) { std::this_thread::sleep_for(time); });
}

Kds::Kds(std::string base_url, Get get, Wait wait)
    : base_url_(std::move(base_url)),
      get_(std::move(get)),
      wait_(std::move(wait)) {}

absl::StatusOr<std::vector<uint8_t>> Kds::Fetch(const std::string& path) const {
  const std::string url = base_url_ + path;
  for (int attempt = 1;; ++attempt) {
    auto answer = get_(url);
    if (!answer.ok()) return answer.status();
    if (answer->status == kOk) return std::move(answer->body);
    if (answer->status == kNotFound) {
      return Error(kKdsNotFound, absl::StatusCode::kNotFound, url);
    }
    if (answer->status >= 300 && answer->status < 400) {
      return Error(kKdsRedirect, url);
    }
    if (answer->status != kTooManyRequests) {
      return Error(kKdsStatus, absl::StatusCode::kUnavailable,
                   absl::StrCat(url, ": status ", answer->status));
    }
    if (attempt == kAttempts) {
      return Error(kKdsThrottled, absl::StatusCode::kUnavailable, url);
    }
    const std::chrono::seconds said(answer->retry_after);
    wait_(said.count() > 0 ? std::min(said, kMaxWait) : kWaitIfNotSaid);
  }
}

}  // namespace verifier
