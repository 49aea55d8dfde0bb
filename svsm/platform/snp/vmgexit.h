// SPDX-License-Identifier: Apache-2.0
//
// The instructions that the SNP platform is made of, as interfaces, so that all
// of its rules run in host tests against hypervisors that lie. hardware.h has
// the real ones.
#pragma once

#include <stdint.h>

namespace svsm {

class VmgExit {
 public:
  // GHCB MSR protocol: writes the MSR, exits, and returns what is in it then.
  virtual uint64_t Msr(uint64_t request) = 0;
  // Exits with the GHCB MSR naming the page at `ghcb_gpa`.
  virtual void Page(uint64_t ghcb_gpa) = 0;

 protected:
  ~VmgExit() = default;
};

// What can be done to one page. All addresses are guest-physical; MapShared,
// MapPrivate and Zero are for pages of the image.
class PageInstructions {
 public:
  struct Pvalidated {
    uint32_t code = 0;  // sev::kRmp...
    bool unchanged = false;
  };
  // 4 KiB, or 2 MiB if `large`; `address` is aligned to that.
  virtual Pvalidated Pvalidate(uint64_t address, bool large, bool validate) = 0;
  // Reads the first and the last byte of the 4 KiB page at `page`, which is
  // validated, as a private page. That evicts every cache line of it that was
  // written under another key: CVE-2024-36331.
  virtual void Evict(uint64_t page) = 0;
  // Ends what Pvalidate() and Evict() reach pages through: a second mapping,
  // writable, of what may be code. The next of them opens it again.
  virtual void CloseWindow() = 0;
  virtual void MapShared(uint64_t address) = 0;
  virtual void MapPrivate(uint64_t address) = 0;
  virtual void Zero(uint64_t address) = 0;

 protected:
  ~PageInstructions() = default;
};

}  // namespace svsm
