// SPDX-License-Identifier: Apache-2.0
//
// NonceWatch: what the host sees of guest requests, kept to find two different
// ciphertexts under one sequence number. AES-GCM does not survive that.
#pragma once

#include <stdint.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sev/guest_message.h"
#include "sev/secrets_page.h"

namespace hostile {

class NonceWatch {
 public:
  // A request page as the guest left it. A page that does not open under its
  // VMPCK0 is not the guest's word (the host changed it), and does not count.
  // Not empty: the guest did the forbidden thing.
  std::optional<std::string> Saw(sev::ConstMessagePage page,
                                 const sev::Vmpck& vmpck0);
  size_t messages() const { return seen_.size(); }
  // How often the same bytes came again.
  int repetitions() const { return repetitions_; }

 private:
  std::map<uint64_t, std::vector<uint8_t>> seen_;
  int repetitions_ = 0;
};

}  // namespace hostile
