// SPDX-License-Identifier: Apache-2.0
//
// PolicyTemplate: a policy to start from, with comments, for the images of one
// VM. It loads as it is; what the owner must decide says EDIT.
#pragma once

#include <stdint.h>

#include <optional>
#include <string>
#include <vector>

#include "sev/product.h"

namespace cli {

struct TemplateInput {
  std::string vm;
  struct Image {
    std::string about;   // For a comment.
    std::string digest;  // 96 hex digits
    bool snp = false;    // The digest is that of an SNP launch.
  };
  std::vector<Image> images;
  // 96 hex digits each; empty: any. With an ID key, the lowest SVN of its ID
  // blocks; and `any_measurement`: whatever it signed.
  std::string id_key_digest, author_key_digest;
  uint32_t minimum_guest_svn = 0;
  bool any_measurement = false;
  bool svn_given = false;  // by hand: no image's ID block changes it
  // Of the emulated secure processor's root, 64 hex digits. Empty: a policy for
  // AMD's processors.
  std::string emulated_root;
  sev::Product emulated_product = sev::Product::kMilan;
  // 96 hex digits each; a file that is not known gets zeros, which no file has.
  std::optional<std::string> kernel, initrd, command_line, acpi;
  bool acpi_none = false;
};

std::string PolicyTemplate(const TemplateInput& input);

}  // namespace cli
