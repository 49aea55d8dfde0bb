// SPDX-License-Identifier: Apache-2.0
//
// What tests of several folders want of the emulator.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <utility>

#include "base/time.h"
#include "psp/chip_model.h"
#include "psp/hierarchy.h"

namespace psp {

inline constexpr char kTestCspId[] = "CN=cc.example.com";

// One hierarchy of a kind for all tests of a process: its keys take a while.
inline const Hierarchy& TestHierarchy(const ChipModel& model = kMilan,
                                      bool vlek = false) {
  using Kind = std::pair<const ChipModel*, bool>;
  static auto* const all = new std::map<Kind, std::unique_ptr<Hierarchy>>;
  std::unique_ptr<Hierarchy>& entry = (*all)[Kind(&model, vlek)];
  if (entry == nullptr) {
    auto generated = Hierarchy::Generate(
        {.model = &model, .csp_id = vlek ? kTestCspId : ""});
    if (!generated.ok()) abort();
    entry = std::make_unique<Hierarchy>(*std::move(generated));
  }
  return *entry;
}

// A clock that moves only when someone waits.
class FakeClock final : public base::Clock {
 public:
  base::Instant Now() override { return now_; }
  void Relax() override { now_ = now_ + base::Milliseconds{1}; }

 private:
  base::Instant now_{1};
};

}  // namespace psp
