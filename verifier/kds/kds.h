// SPDX-License-Identifier: Apache-2.0
//
// AMD's key distribution service, or a proxy that caches it.
//
// Spec: AMD 57230 rev. 1.00, chapter 4, "Key Distribution Service". What it
// answers is not trusted: certificates prove themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "sev/product.h"
#include "verifier/kds/http.h"

namespace verifier {

// Paths below the base URL. `chip_id` and `tcb` as in the report.
std::string VcekPath(sev::Product product, std::span<const uint8_t, 64> chip_id,
                     uint64_t tcb);
// ASK (or, for "vlek", ASVK) and ARK, in PEM.
std::string ChainPath(sev::Product product, std::string_view key_kind);
std::string CrlPath(sev::Product product);

class Kds {
 public:
  using Get = std::function<absl::StatusOr<HttpAnswer>(const std::string& url)>;
  using Wait = std::function<void(std::chrono::seconds)>;

  // A throttled request is made this often at most, and this is waited for at
  // most in between, whatever the service asks.
  static constexpr int kAttempts = 3;
  static constexpr std::chrono::seconds kMaxWait{30};

  // CL10.
  static absl::StatusOr<Kds> Create(const std::string& base_url);
  // For tests.
  Kds(std::string base_url, Get get, Wait wait);

  // CL11 to CL18.
  absl::StatusOr<std::vector<uint8_t>> Fetch(const std::string& path) const;

 private:
  std::string base_url_;
  Get get_;
  Wait wait_;
};

}  // namespace verifier
