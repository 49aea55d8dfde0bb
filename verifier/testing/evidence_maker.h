// SPDX-License-Identifier: Apache-2.0
//
// Evidence for tests, signed by the emulated firmware's own key hierarchy, and
// a policy that it satisfies. One field at a time can be made wrong.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/ossl/ossl.h"

namespace verifier::testing {

using ReportBytes = std::array<uint8_t, sev::kReportSize>;

inline constexpr uint8_t kMeasurementByte = 0xAB;

// A good version 3 report over `report_data`; `change` is applied before it is
// signed.
ReportBytes MakeReport(
    base::Bytes report_data,
    const std::function<void(ReportBytes&)>& change = [](ReportBytes&) {});

struct Certificates {
  std::vector<uint8_t> vcek, ask, ark;
};
Certificates GoodCertificates();
std::vector<uint8_t> PackTable(const Certificates& certificates);

AcceptedRoot TestRoot();

// The test root's revocation list, current for years.
enum class Revoked { kNothing, kAsk };
std::vector<uint8_t> MakeCrl(long number, Revoked revoked);

// The boot manifest of a good boot, serialised.
std::vector<uint8_t> GoodManifest();

// A policy for vm demo/vm1 and secrets demo/vm1/*, which pins these.
struct PolicyDigests {
  ossl::Digest384 measurement{}, kernel{}, initrd{}, command_line{};
  std::optional<ossl::Digest384> acpi;  // Empty: "none".
};
std::string PolicyText(const PolicyDigests& digests);
// Satisfied by the report and manifest above.
std::string GoodPolicy();

}  // namespace verifier::testing
