// SPDX-License-Identifier: Apache-2.0
//
// A policy in which (on Milan) every check is on, for tests.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace verifier::testing {

// `digit` written `digits` times.
inline std::string Digits(char digit, size_t digits) {
  return std::string(digits, digit);
}

inline std::string StrictPolicy() {
  const auto sha384 = [](char digit) {
    return absl::StrCat("[\"sha384:", Digits(digit, 96), "\"]\n");
  };
  const auto hex = [](char digit, size_t digits) {
    return absl::StrCat("[\"", Digits(digit, digits), "\"]\n");
  };
  // clang-format off
  return absl::StrCat(
      "version = 2\n"                                              // line 1
      "name = \"demo\"\n"                                          // 2
      "vms = [\"demo/vm1\"]\n"                                     // 3
      "secrets = [\"demo/vm1/*\"]\n"                               // 4
      "roots = [\"sha256:", Digits('a', 64), "\"]\n"               // 5
      "products = [\"milan\", \"turin\"]\n"                        // 6
      "report_versions = [3, 5]\n"                                 // 7
      "unattested_boot = false\n"                                  // 8
      "[images]\n"                                                 // 9
      "\"web-1.4\" = \"", Digits('b', 96), "\"\n"                  // 10
      "[launch]\n"                                                 // 11
      "measurement = [\"image:web-1.4\", \"", Digits('0', 96), "\"]\n"  // 12
      "id_key_digest = ", hex('c', 96),                            // 13
      "author_key_digest = ", hex('d', 96),                        // 14
      "family_id = ", hex('1', 32),                                // 15
      "image_id = ", hex('2', 32),                                 // 16
      "host_data = ", hex('3', 64),                                // 17
      "minimum_guest_svn = 7\n"                                    // 18
      "[guest_policy]\n"                                           // 19
      "smt = \"forbidden\"\n"                                      // 20
      "migration_agent = \"forbidden\"\n"                          // 21
      "debug = \"forbidden\"\n"                                    // 22
      "single_socket = \"required\"\n"                             // 23
      "cxl_allow = \"forbidden\"\n"                                // 24
      "mem_aes_256_xts = \"required\"\n"                           // 25
      "rapl_disabled = \"required\"\n"                             // 26
      "ciphertext_hiding_dram = \"required\"\n"                    // 27
      "page_swap_disabled = \"required\"\n"                        // 28
      "minimum_abi = \"1.55\"\n"                                   // 29
      "unknown_bits = [26]\n"                                      // 30
      "[platform_info]\n"                                          // 31
      "smt_enabled = \"forbidden\"\n"                              // 32
      "tsme_enabled = \"forbidden\"\n"                             // 33
      "ecc_enabled = \"required\"\n"                               // 34
      "rapl_disabled = \"required\"\n"                             // 35
      "ciphertext_hiding_dram_enabled = \"required\"\n"            // 36
      "alias_check_complete = \"required\"\n"                      // 37
      "iommu_write_safe = \"required\"\n"                          // 38
      "tio_enabled = \"forbidden\"\n"                              // 39
      "[signer]\n"                                                 // 40
      "vlek = [\"CN=cloud.example\"]\n"                            // 41
      "chips = ", "[\"", Digits('5', 128), "\", \"", Digits('6', 16),
      "\"]\n"                                                      // 42
      "chips_denied = ", hex('7', 128),                            // 43
      "crl = \"required\"\n"                                       // 44
      "[minimum_tcb.milan]\n"                                      // 45
      "reported = { boot_loader = 4, tee = 1, snp = 24, microcode = 219 }\n"
      "committed = { boot_loader = 3, tee = 1, snp = 23, microcode = 218 }\n"
      "launch = { boot_loader = 2, tee = 1, snp = 22, microcode = 217 }\n"
      "[minimum_tcb.turin]\n"                                      // 49
      "reported = { fmc = 12, boot_loader = 13, tee = 14, snp = 15, "
      "microcode = 81 }\n"
      "committed = \"any\"\n"                                      // 51
      "launch = \"any\"\n"                                         // 52
      "[boot]\n"                                                   // 53
      "kernel = ", sha384('1'),                                    // 54
      "initrd = ", sha384('2'),                                    // 55
      "command_line = ", sha384('3'),                              // 56
      "acpi = ", sha384('4'));                                     // 57
  // clang-format on
}

}  // namespace verifier::testing
