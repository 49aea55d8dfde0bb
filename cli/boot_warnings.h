// SPDX-License-Identifier: Apache-2.0
//
// What guest, kernel or initramfs would refuse of the files that a VM boots,
// said where the mistake is made. Each guest reason is the guest's own (boot/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "proto/config.h"

namespace cli {

struct GivenFile {
  std::string name;  // for the message
  base::Bytes bytes;
};

struct GivenBoot {
  std::optional<GivenFile> kernel, initrd, command_line;
  // Bytes; 0: not known, and nothing is said of it.
  uint64_t memory = 0;   // the VM's
  uint64_t svsm = 0;     // of the guest image in memory
  uint64_t secrets = 0;  // what the image's configuration allows them
};

// One line each, in the order of the fields; empty if nothing has to fail. That
// it is empty does not mean that the VM boots.
std::vector<std::string> BootWarnings(const GivenBoot& boot);

// Of an image whose configuration names what it boots, and other files.
std::vector<std::string> ExpectedBootWarnings(const std::string& image,
                                              const proto::Config& config,
                                              const GivenBoot& boot);

// "warning: " and each, to standard error.
void PrintWarnings(const std::vector<std::string>& warnings);

}  // namespace cli
