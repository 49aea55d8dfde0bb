// SPDX-License-Identifier: Apache-2.0
//
// What the certificate of a signing key says in AMD's extensions: for which
// firmware, and for which chip (VCEK) or cloud provider (VLEK), its key exists.
//
// Spec: AMD 57230 rev. 1.00, "VCEK Certificate Definition" and "VLEK": OID arc
// 1.3.6.1.4.1.3704.1. SPLs are INTEGERs, productName and CSP_ID IA5Strings,
// hwID octets: those of every genuine one stand in the extension as they are.
// An OCTET STRING of its own around them, which AMD once announced, is taken
// off.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sev/product.h"
#include "verifier/endorsements/certificate.h"

namespace verifier {

enum class SignerKind : uint8_t { kVcek, kVlek };

constexpr std::string_view NameOf(SignerKind kind) {
  return kind == SignerKind::kVcek ? "VCEK" : "VLEK";
}

inline constexpr std::string_view kAmdArc = "1.3.6.1.4.1.3704.1";

// Places below the arc.
namespace amd_extension {
inline constexpr std::string_view kStructVersion = "1";
inline constexpr std::string_view kProductName = "2";
inline constexpr std::string_view kBootLoader = "3.1";
inline constexpr std::string_view kTee = "3.2";
inline constexpr std::string_view kSnp = "3.3";
inline constexpr std::string_view kReservedSpl[] = {"3.4", "3.5", "3.6", "3.7"};
inline constexpr std::string_view kMicrocode = "3.8";
inline constexpr std::string_view kFmc = "3.9";  // Turin on.
inline constexpr std::string_view kHardwareId = "4";
inline constexpr std::string_view kCspId = "5";  // VLEK.
inline constexpr std::string_view kAll[] = {"1",   "2",   "3.1", "3.2", "3.3",
                                            "3.4", "3.5", "3.6", "3.7", "3.8",
                                            "3.9", "4",   "5"};
}  // namespace amd_extension

// An extension that is missing or malformed leaves its field empty; the places
// of those that are malformed or there twice are listed. Others are passed
// over: AMD adds new ones.
struct LeafFacts {
  std::optional<SignerKind> kind;  // By the subject's name.
  std::string product_name;        // "Milan-B0".
  std::optional<sev::Product> product;
  std::optional<uint8_t> struct_version;
  std::optional<uint8_t> fmc, boot_loader, tee, snp, microcode;
  std::array<std::optional<uint8_t>, 4> reserved_spl;
  bool has_hardware_id = false;
  std::vector<uint8_t> hardware_id;  // Without an OCTET STRING around it.
  std::string csp_id;  // "CN=cc-us-east-2.amazonaws.com"; printable ASCII.
  std::vector<std::string> malformed;

  bool IsMalformed(std::string_view place) const;
};

LeafFacts ReadLeaf(const Certificate& certificate);

}  // namespace verifier
