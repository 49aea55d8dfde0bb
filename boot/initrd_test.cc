// SPDX-License-Identifier: Apache-2.0
#include "boot/initrd.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "gtest/gtest.h"

namespace boot {
namespace {

using std::string_view_literals::operator""sv;
using File = std::vector<uint8_t>;

// First bytes as gzip, bzip2, lzma, xz --check=crc32, lzop, lz4 -l and zstd
// (-19, from a pipe) of 2026 wrote them.
constexpr struct {
  InitrdFormat format;
  std::string_view begin;
} kFormats[] = {
    {InitrdFormat::kGzip, "\x1F\x8B\x08\0\0\0\0\0\x02\x03"sv},
    {InitrdFormat::kBzip2, "BZh91AY&SY"sv},
    {InitrdFormat::kLzma, "\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0"sv},
    {InitrdFormat::kXz,
     "\xFD"
     "7zXZ\0\0\x01\x69\x22\xDE\x36"sv},
    {InitrdFormat::kLzo, "\x89LZO\0\r\n\x1A\n\x10\x40"sv},
    {InitrdFormat::kLz4, "\x02\x21\x4C\x18\x10\0\0\0"sv},
    {InitrdFormat::kZstd, "\x28\xB5\x2F\xFD\x04\x68\x01\0\0"sv},
};

File Of(std::string_view text, size_t size = 64) {
  File file(text.begin(), text.end());
  file.resize(std::max(size, file.size()));
  return file;
}

File Joined(File a, const File& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Initrd, EachFormatOfLinux) {
  for (const auto& row : kFormats) {
    const InitrdLook look = LookAtInitrd(Of(row.begin));
    EXPECT_EQ(look.fault, InitrdFault::kNone) << row.begin;
    EXPECT_EQ(look.format, row.format) << row.begin;
    EXPECT_EQ(look.offset, 0u);
  }
}

TEST(Initrd, PlainArchives) {
  const InitrdLook look = LookAtInitrd(FakeCpio());
  EXPECT_EQ(look.fault, InitrdFault::kNone);
  EXPECT_EQ(look.format, InitrdFormat::kCpio);
  EXPECT_EQ(look.unpacked, 8192u);  // whole pages
  File two;
  AddCpioEntry(two, "a", 0100600, 1, "070702");
  AddCpioEntry(two, "TRAILER!!!", 0, 0, "070702");
  two.resize(512);  // as cpio(1) pads
  EXPECT_EQ(LookAtInitrd(Joined(two, FakeCpio())).unpacked, 4096u + 8192);
}

// Microcode first, as distributions do.
TEST(Initrd, CompressedBehindPlain) {
  File early = FakeCpio();
  early.resize((early.size() / 512 + 1) * 512);
  for (const auto& row : kFormats) {
    const InitrdLook look = LookAtInitrd(Joined(early, Of(row.begin)));
    EXPECT_EQ(look.fault, InitrdFault::kNone) << row.begin;
    EXPECT_EQ(look.format, row.format) << row.begin;
    EXPECT_EQ(look.offset, early.size());
  }
  // Linux: "broken padding".
  early.resize(early.size() + 2);
  EXPECT_EQ(LookAtInitrd(Joined(early, Of(kFormats[0].begin))).fault,
            InitrdFault::kMisaligned);
}

TEST(Initrd, WhatLinuxDoesNotUnpack) {
  constexpr struct {
    InitrdFault fault;
    std::string_view begin;
  } kRows[] = {
      {InitrdFault::kNoArchive, ""},
      {InitrdFault::kUnknown,
       "\x7F"
       "ELF"},
      {InitrdFault::kUnknown, "#!/bin/sh\n"},
      {InitrdFault::kUnknown, "hsqs"},
      {InitrdFault::kUnknown, "\x04\x22\x4D\x19"},
      {InitrdFault::kLz4Frame, "\x04\x22\x4D\x18\x64\x40\xA7"},
      {InitrdFault::kOldCpio, "070707000000000001"},
      {InitrdFault::kOldCpio, "\xC7\x71\x01\x02"},
      {InitrdFault::kNoMagic, "070703"},
      {InitrdFault::kNoMagic, "0"},
      {InitrdFault::kDamaged, "\x1F\x8B\x07"},
      {InitrdFault::kDamaged, "\x1F\x9E\x08"},
      {InitrdFault::kDamaged, "BZIP"},
      {InitrdFault::kDamaged,
       "\xFD"
       "7zip"},
      {InitrdFault::kDamaged, "\x89LZ0"},
      {InitrdFault::kDamaged, "\x02\x21\x4C\x19"},
      {InitrdFault::kDamaged, "\x28\xB5\x2F\xFC"},
      // xz's default, CRC64, and SHA-256.
      {InitrdFault::kXzCheck,
       "\xFD"
       "7zXZ\0\0\x04"sv},
      {InitrdFault::kXzCheck,
       "\xFD"
       "7zXZ\0\0\x0A"sv},
      // zstd --long=28, and a frame of 256 MiB in one segment.
      {InitrdFault::kZstdWindow, "\x28\xB5\x2F\xFD\x04\x90"sv},
      {InitrdFault::kZstdWindow, "\x28\xB5\x2F\xFD\xA0\0\0\0\x10"sv},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(LookAtInitrd(Of(row.begin)).fault, row.fault)
        << testing::PrintToString(row.begin);
  }
  EXPECT_EQ(LookAtInitrd({}).fault, InitrdFault::kNoArchive);
}

TEST(Initrd, SaysWhatItUnpacksTo) {
  File gzip = Of(kFormats[0].begin, 100000);
  gzip[gzip.size() - 2] = 0x10;  // 1 MiB
  EXPECT_EQ(LookAtInitrd(gzip).unpacked, 1u << 20);
  gzip[gzip.size() - 1] = 0xFF;  // No trailer: another archive's end.
  EXPECT_EQ(LookAtInitrd(gzip).unpacked, 0u);
  // Content sizes of 1, 2, 4 and 8 bytes, and behind a dictionary id.
  EXPECT_EQ(LookAtInitrd(Of("\x28\xB5\x2F\xFD\x20\x07"sv)).unpacked, 7u);
  EXPECT_EQ(LookAtInitrd(Of("\x28\xB5\x2F\xFD\x60\0\1"sv)).unpacked, 512u);
  EXPECT_EQ(LookAtInitrd(Of("\x28\xB5\x2F\xFD\x84\x68\0\0\0\x10"sv)).unpacked,
            256u << 20);
  EXPECT_EQ(
      LookAtInitrd(Of("\x28\xB5\x2F\xFD\xE1\x55\0\0\1\0\0\0\0\0"sv)).unpacked,
      65536u);
}

// Linux cuts it off before it unpacks, with up to three bytes of padding.
TEST(Initrd, ABootConfigurationIsNoArchive) {
  for (const std::string_view text : {""sv, "kernel.quiet\n"sv}) {
    for (size_t padding = 0; padding <= 3; ++padding) {
      SCOPED_TRACE(testing::Message() << text << padding);
      const File trailer =
          Of(BootconfigTrailer(text) + std::string(padding, 0), 0);
      const InitrdLook plain = LookAtInitrd(Joined(FakeCpio(), trailer));
      EXPECT_EQ(plain.fault, InitrdFault::kNone);
      EXPECT_EQ(plain.unpacked, 8192u);
      EXPECT_EQ(LookAtInitrd(trailer).fault, InitrdFault::kNoArchive);
      for (const auto& row : kFormats) {
        const InitrdLook look = LookAtInitrd(Joined(Of(row.begin), trailer));
        EXPECT_EQ(look.fault, InitrdFault::kNone) << row.begin;
        EXPECT_EQ(look.format, row.format) << row.begin;
      }
      // The size that gzip wrote stands in front of it.
      File gzip = Of(kFormats[0].begin, 100000);
      gzip[gzip.size() - 2] = 0x10;  // 1 MiB
      EXPECT_EQ(LookAtInitrd(Joined(gzip, trailer)).unpacked, 1u << 20);
    }
  }
}

// Cut anywhere, a plain archive either ends between two entries or is cut off:
// what follows would be taken for the entry's contents.
TEST(Initrd, EveryTruncationOfPlainCpio) {
  const File whole = FakeCpio(40);
  const size_t folder = 120, file = 120 + 124 + 40;
  for (size_t size = 1; size < whole.size(); ++size) {
    const InitrdLook look = LookAtInitrd(base::Bytes(whole).first(size));
    // The loader pads to a multiple of 4.
    const bool between = (size + 3) / 4 * 4 == folder ||
                         (size + 3) / 4 * 4 == file ||
                         (size + 3) / 4 * 4 == whole.size();
    if (between) {
      EXPECT_EQ(look.fault, InitrdFault::kNone) << size;
    } else {
      EXPECT_TRUE(look.fault == InitrdFault::kCutOff ||
                  look.fault == InitrdFault::kNoMagic)
          << size;
    }
  }
}

TEST(Initrd, EveryTruncationAndBitFlipIsBounded) {
  for (const auto& row : kFormats) {
    const File whole = Joined(FakeCpio(40), Of(row.begin));
    for (size_t size = 0; size <= whole.size(); ++size) {
      // A buffer of its own, for the sanitizers.
      const File cut(whole.begin(), whole.begin() + long(size));
      EXPECT_LE(LookAtInitrd(cut).offset, size);
    }
    File flipped = whole;
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      flipped[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
      EXPECT_LE(LookAtInitrd(flipped).offset, flipped.size());
      flipped[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    }
  }
}

}  // namespace
}  // namespace boot
