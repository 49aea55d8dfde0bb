// SPDX-License-Identifier: Apache-2.0
//
// What a VCEK certificate says in AMD's extensions: for which chip and which
// firmware versions its key exists.
//
// Spec: AMD 57230 rev. 1.00, "VCEK Certificate Definition": OID arc
// 1.3.6.1.4.1.3704.1; SPLs are INTEGERs, productName an IA5String, hwID bare
// octets (no OCTET STRING inside the extension's own).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sev/tcb.h"
#include "verifier/evidence/certificate.h"
#include "verifier/finding.h"

namespace verifier {

struct VcekFacts {
  std::string product_name;  // "Milan-B0".
  std::optional<sev::Product> product;
  // Security patch levels by the byte of the raw TCB that each stands for on
  // Milan and Genoa: boot loader, TEE, SPL 4 to 7, SNP, microcode.
  std::array<uint8_t, 8> spl{};
  std::array<uint8_t, 64> hardware_id{};
};

// Empty, with findings: an extension is missing, twice or malformed.
std::optional<VcekFacts> ReadVcek(const Certificate& certificate,
                                  Findings& findings);

}  // namespace verifier
