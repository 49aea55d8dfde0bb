// SPDX-License-Identifier: Apache-2.0
//
// FwCfg: reads QEMU's fw_cfg files. The host writes every byte of it.
//
// Source: QEMU docs/specs/fw_cfg.rst ("DMA Interface", "File Directory").
// The directory is read once and validated whole; a file is read once, from
// start to end, into the caller's buffer, and nobody looks at the host's copy
// again. Big-endian on the wire; sizes in bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/reasons.h"

namespace svsm {

// One DMA operation. svsm/fw_cfg/fw_cfg_dma.h is the guest's; tests have a
// fake device.
class FwCfgIo {
 public:
  static constexpr uint32_t kError = 1;
  static constexpr uint32_t kRead = 2;
  static constexpr uint32_t kSkip = 4;
  static constexpr uint32_t kSelect = 8;  // the selector is in bits 31:16

  // Hands the device {control, buffer} and waits until it is done. `buffer` is
  // bounce() or part of it where bounce() is not empty.
  //   kUnavailable: SL11 the device says error.
  //   kDeadlineExceeded: SL12 it says nothing.
  virtual base::Status Transfer(uint32_t control,
                                base::MutableBytes buffer) = 0;

  // Memory that the host may write. Empty: it may write anywhere (emulated
  // platform), and transfers go straight to the caller's buffer. On SNP a
  // shared range, through which every read is copied.
  virtual base::MutableBytes bounce() = 0;

 protected:
  ~FwCfgIo() = default;
};

struct FwCfgFile {
  uint32_t size = 0;
  uint16_t selector = 0;
};

// About 64 KiB: lives in bss.
class FwCfg {
 public:
  static constexpr size_t kMaxFiles = 1024;
  static constexpr size_t kMaxName = 56;  // with its NUL
  // A transfer moves at most this much, so that each has its own deadline.
  static constexpr size_t kChunk = size_t{1} << 20;

  explicit FwCfg(FwCfgIo& io) : io_(io) {}
  FwCfg(const FwCfg&) = delete;
  FwCfg& operator=(const FwCfg&) = delete;

  // Checks signature and DMA feature, reads and validates the directory.
  //   kUnavailable: SL10, SL11. kDeadlineExceeded: SL12.
  //   kDataLoss: SL13 (count, selector, name without NUL, empty or not
  //   printable), SL14 (a name twice).
  base::Status Open();

  // kNotFound: SL15.
  base::Result<FwCfgFile> Find(std::string_view name) const;

  // Fills `out`, whose size is the file's.
  //   kDataLoss: SL16 sizes differ. Others as Transfer.
  base::Status Read(FwCfgFile file, base::MutableBytes out);

  size_t file_count() const { return count_; }

 private:
  struct Entry {
    FwCfgFile file;
    std::array<char, kMaxName> name;
    uint8_t name_size;
  };
  base::Status ReadItem(uint16_t selector, base::MutableBytes out);
  base::Status Move(uint32_t control, base::MutableBytes out);
  base::Status AddEntry(base::ByteReader& in);
  std::string_view NameOf(const Entry& entry) const {
    return {entry.name.data(), entry.name_size};
  }

  FwCfgIo& io_;
  std::array<Entry, kMaxFiles> entries_{};
  size_t count_ = 0;
};

}  // namespace svsm
