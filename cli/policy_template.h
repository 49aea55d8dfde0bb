// SPDX-License-Identifier: Apache-2.0
//
// PolicyTemplate: a policy to start from, with comments, for the images of one
// VM. It loads as it is; what the owner must decide says EDIT.
#pragma once

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
  };
  std::vector<Image> images;
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
