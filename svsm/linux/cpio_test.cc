// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/cpio.h"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/linux/reasons.h"

namespace svsm {
namespace {

struct Entry {
  std::string name;
  uint32_t mode;
  std::string content;
  friend bool operator==(const Entry&, const Entry&) = default;
};

uint32_t Hex(base::Bytes field) {
  return static_cast<uint32_t>(
      std::stoul(std::string(field.begin(), field.begin() + 8), nullptr, 16));
}

// An independent reader of buffer-format.rst.
std::vector<Entry> Read(base::Bytes archive) {
  std::vector<Entry> entries;
  size_t at = 0;
  for (;;) {
    const base::Bytes head = archive.subspan(at, 110);
    EXPECT_EQ(std::string(head.begin(), head.begin() + 6), "070701");
    const uint32_t mode = Hex(head.subspan(14));
    const uint32_t size = Hex(head.subspan(54));
    const uint32_t name_size = Hex(head.subspan(94));
    const base::Bytes name = archive.subspan(at + 110, name_size);
    EXPECT_EQ(name.back(), 0);
    at = (at + 110 + name_size + 3) / 4 * 4;
    const base::Bytes content = archive.subspan(at, size);
    at = (at + size + 3) / 4 * 4;
    const std::string text(name.begin(), name.end() - 1);
    if (text == "TRAILER!!!") break;
    entries.push_back({text, mode, {content.begin(), content.end()}});
  }
  EXPECT_EQ(at, archive.size());
  return entries;
}

const std::array<uint8_t, 32> kDigest = [] {
  std::array<uint8_t, 32> digest{};
  for (size_t i = 0; i < 32; ++i) digest[i] = static_cast<uint8_t>(i * 8 + 1);
  return digest;
}();

base::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

DiskSecret Disk(std::string_view volume, std::string_view key,
                uint64_t length = 294912) {
  return {volume, AsBytes(key), length, kDigest};
}

TEST(CpioSegment, WritesADisk) {
  std::vector<uint8_t> buffer(4096);
  CpioSegment segment(buffer);
  ASSERT_TRUE(segment.AddDisk(Disk("root", "key")).ok());
  auto archive = segment.Finish();
  ASSERT_TRUE(archive.ok());
  EXPECT_EQ(archive->data(), buffer.data());
  const std::vector<Entry> expected = {
      {"etc", 040755, ""},
      {"etc/forelock", 040755, ""},
      {"etc/forelock/keys.d", 040700, ""},
      {"etc/forelock/keys.d/root.key", 0100400, "key"},
      {"etc/forelock/keys.d/root.header", 0100400,
       "length=294912\n"
       "sha256="
       "0109111921293139414951596169717981899199a1a9b1b9c1c9d1d9e1e9f1f9\n"},
  };
  EXPECT_EQ(Read(*archive), expected);
}

TEST(CpioSegment, MakesEachFolderOnce) {
  std::vector<uint8_t> buffer(16384);
  CpioSegment segment(buffer);
  ASSERT_TRUE(segment.AddDisk(Disk("a", "1", UINT64_MAX)).ok());
  ASSERT_TRUE(segment.AddDisk(Disk("b", "22", 0)).ok());
  ASSERT_TRUE(segment.AddFile({"/etc/ssl/private/k", AsBytes("333")}).ok());
  ASSERT_TRUE(segment.AddFile({"/etc/ssl/private/l", AsBytes("")}).ok());
  ASSERT_TRUE(segment.AddFile({"/top", AsBytes("4444")}).ok());
  auto archive = segment.Finish();
  ASSERT_TRUE(archive.ok());
  std::string names;
  for (const Entry& entry : Read(*archive)) names += entry.name + " ";
  EXPECT_EQ(names,
            "etc etc/forelock etc/forelock/keys.d etc/forelock/keys.d/a.key "
            "etc/forelock/keys.d/a.header etc/forelock/keys.d/b.key "
            "etc/forelock/keys.d/b.header etc/ssl etc/ssl/private "
            "etc/ssl/private/k etc/ssl/private/l top ");
  EXPECT_EQ(Read(*archive)[4].content.substr(0, 28),
            "length=18446744073709551615\n");
  EXPECT_EQ(Read(*archive)[6].content.substr(0, 9), "length=0\n");
}

TEST(CpioSegment, RefusesPaths) {
  const std::string too_long = "/" + std::string(kMaxCpioPath, 'a');
  const std::string longest = too_long.substr(0, kMaxCpioPath);
  for (const std::string_view path : std::initializer_list<std::string_view>{
           "", "/", "a", "etc/a", "//a", "/a/", "/a//b", "/.", "/..", "/a/./b",
           "/a/../b", "/..a/..", "/a b", "/a\n", "/a\x7f", "/\xc3\xa4",
           too_long}) {
    EXPECT_FALSE(IsCpioPath(path)) << path;
    std::vector<uint8_t> buffer(4096);
    CpioSegment segment(buffer);
    EXPECT_EQ(segment.AddFile({path, {}}).reason(), kCpioPath) << path;
  }
  EXPECT_FALSE(IsCpioPath(std::string_view("/a\0b", 4)));
  for (const std::string_view path : std::initializer_list<std::string_view>{
           "/a", "/..a", "/a..", "/.hidden/...", "/a/b-c_d.e", longest}) {
    EXPECT_TRUE(IsCpioPath(path)) << path;
  }
  const std::string wide(65, 'a');
  for (const std::string_view volume : std::initializer_list<std::string_view>{
           "", ".", "..", ".a", "a/b", "a b", "\xff", wide}) {
    EXPECT_FALSE(IsVolumeName(volume)) << volume;
    std::vector<uint8_t> buffer(4096);
    CpioSegment segment(buffer);
    EXPECT_EQ(segment.AddDisk(Disk(volume, "k")).reason(), kCpioPath);
  }
  EXPECT_TRUE(IsVolumeName("root"));
  EXPECT_TRUE(IsVolumeName("Root_1-a.b"));
}

TEST(CpioSegment, RefusesOnePlaceTwice) {
  std::vector<uint8_t> buffer(8192);
  CpioSegment segment(buffer);
  ASSERT_TRUE(segment.AddDisk(Disk("root", "key")).ok());
  EXPECT_EQ(segment.AddDisk(Disk("root", "key")).reason(), kCpioDuplicate);
  EXPECT_EQ(segment.AddFile({"/etc/forelock/keys.d/root.key", {}}).reason(),
            kCpioDuplicate);
  // A folder as a file, a file as a folder.
  EXPECT_EQ(segment.AddFile({"/etc/forelock/keys.d", {}}).reason(),
            kCpioDuplicate);
  EXPECT_EQ(segment.AddFile({"/etc/forelock/keys.d/root.key/x", {}}).reason(),
            kCpioDuplicate);
}

TEST(CpioSegment, EverySmallerBufferIsFull) {
  const auto write = [](base::MutableBytes buffer) -> base::Status {
    CpioSegment segment(buffer);
    BASE_TRY(segment.AddDisk(Disk("root", "0123456789")));
    BASE_TRY(segment.AddFile({"/a/b", AsBytes("xyz")}));
    return base::StatusOf(segment.Finish());
  };
  std::vector<uint8_t> buffer(4096);
  size_t needed = 0;
  while (!write(base::MutableBytes(buffer).first(needed)).ok()) {
    EXPECT_EQ(write(base::MutableBytes(buffer).first(needed)).reason(),
              kCpioFull);
    ++needed;
  }
  EXPECT_LE(needed, CpioSegment::RoomFor(2, 13));
}

TEST(CpioSegment, RoomIsEnoughWhateverThePaths) {
  // Eight secrets of full size with parents up to the limit of entries.
  const std::string content(4096, 'x');
  std::vector<uint8_t> buffer(CpioSegment::RoomFor(8, 8 * 4096));
  CpioSegment segment(buffer);
  for (char first = 'a'; first < 'i'; ++first) {
    std::string path = std::string("/") + first;
    for (int i = 0; i < 6; ++i) path += "/" + std::string(27, first);
    const base::Status added = segment.AddFile({path, AsBytes(content)});
    EXPECT_TRUE(added.ok());
  }
  EXPECT_TRUE(segment.Finish().ok());

  CpioSegment deep(buffer);
  std::string path;
  for (int i = 0; i < 70; ++i) path += "/a";
  EXPECT_EQ(deep.AddFile({path, {}}).reason(), kCpioTooMany);
}

}  // namespace
}  // namespace svsm
