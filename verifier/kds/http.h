// SPDX-License-Identifier: Apache-2.0
//
// One GET, bounded in size and time, over http or https with the server's
// certificate checked. No redirect is followed: where to ask is the user's
// word, not the server's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace verifier {

struct HttpLimits {
  size_t body = 64 * 1024;
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds total{30'000};
};

struct HttpAnswer {
  long status = 0;
  long retry_after = 0;  // Seconds; 0: not said.
  std::vector<uint8_t> body;
};

// "https://HOST[:PORT][/PATH]" without a slash at its end. CL10: another
// scheme, or with user, query or fragment.
absl::StatusOr<std::string> CheckBaseUrl(const std::string& url);

// CL11 unreachable, CL12 TLS, CL13 deadline, CL18 too large. Any status is an
// answer.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& url,
                                   const HttpLimits& limits);

}  // namespace verifier
