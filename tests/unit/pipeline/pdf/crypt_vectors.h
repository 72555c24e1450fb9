/* crypt_vectors: what qpdf 11.3 wrote into /Encrypt for one small document, for every revision.
 *
 * The title of the document and a content stream, as they were encrypted; the file key as
 * `qpdf --show-encryption-key` tells it. The first /ID is 00112233445566778899aabbccddeeff.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_PDF_CRYPT_VECTORS_H
#define PL_TESTS_UNIT_PIPELINE_PDF_CRYPT_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

#define CRYPT_TITLE "A title of this document"
#define CRYPT_CONTENT "0 0 36 36 re f % a content"

struct crypt_vector {
    int version;
    int revision;
    int length;
    int permissions;
    bool metadata;
    const char *method; /* CFM of the one crypt filter; NULL: none */
    const char *user;
    const char *owner;
    const char *o; /* hex from here on */
    const char *u;
    const char *oe;
    const char *ue;
    const char *perms;
    const char *key;
    uint32_t title_object;
    const char *title;
    uint32_t content_object;
    const char *content;
};

static const struct crypt_vector crypt_vectors[] = {
    { 1, 2, 40, -4, true, NULL, "user", "owner",
      "94e8094419662a774442fb072e3d9f19e9d130ec09a4d0061e78fe920f7ab62f",
      "b1f625689bca1356d125453c43cfa750c0296b5c271c03f1cc359fa658a4fa21", NULL, NULL, NULL,
      "77867d7fae", 2, "fa8482eb139d93c8ca33737a29bdfd401bdb17ce1f1a6b7e", 5,
      "7e1acaf2c401c35550e2d36c733f9bce2fbad46ef82ffeea5d84" },
    { 1, 2, 40, -4, true, NULL, "",
      "own\xc3\xa9"
      "r",
      "8dedd74dbd277ad23ee0ee99748eeecf8dffcbeb911965f9b24ad95d3f535c8e",
      "12d1d384316730c70f6c0a34469a24b5b3a870a39743c5b8832ea597e649cd6b", NULL, NULL, NULL,
      "d8efffbd18", 2, "d67828107786b6ace5808a61d8c59ad13c598a76b742cff0", 5,
      "a65d77cbb31e6414db0b01554dc82cdf302a8462a04c3d987d81" },
    { 2, 3, 128, -4, true, NULL, "user", "owner",
      "0ba3835f88f90388e74e54584125ce142be0de24c6b0d37746e075b891756671",
      "d798239dd347dc3afe3dd10515bb58430122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "2e76247e4b9d5c6aa46d224a2e740d27", 2, "77c2d216a63a37a0c08fd21aa1361b319e26f69a0a195784", 5,
      "85b7ed589d8489bfc45c95784fa029a42547630f5cfc1f29a83e" },
    { 2, 3, 128, -4, true, NULL, "",
      "own\xc3\xa9"
      "r",
      "3b450f40a75c29155fe53951cc4949f4edc5dbd64367bda5812d55d0d6aa8d43",
      "f2376bd56b60ca5bf7614338a37b43b70122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "bd290f5fd02b5c263fcd2ea5ce6208b5", 2, "aef64fe24bbcbbddc7375457d0a9bc44406988b55d76b8f8", 5,
      "27fa114861cbcc75e0cab2db174224129a74c8556e31bd010868" },
    { 4, 4, 128, -4, true, "V2",
      "g\xc3\xa4"
      "rten \xe2\x80\x93"
      " \xe2\x82\xac"
      "",
      "owner", "19349459c5286d53899bf6a66b7bce375e5bbb2ca6c82c3b97806516becf1fe7",
      "f40a58c1e459cc9cc13d44652083a13f0122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "4d8e4308f351338bc22619396bbf83aa", 2, "c17750a7146a29b00bca992e0961ebe628c79c1706b21c52", 5,
      "ae0f7ef2abca5e1e05a171e36d11a205cb42dda90c803b14fbe3" },
    { 4, 4, 128, -4, true, "AESV2", "user", "owner",
      "0ba3835f88f90388e74e54584125ce142be0de24c6b0d37746e075b891756671",
      "d798239dd347dc3afe3dd10515bb58430122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "2e76247e4b9d5c6aa46d224a2e740d27", 2,
      "28f1cf669b47fb12020f69843a21c07668c79f5e0d08772db771fc42c8214cfa8b15c5c3a2d0b1ba3b246b7dfb1b"
      "1f6c",
      5,
      "ee7d9c3fa53c4204b15aeb5f313b0bc168352aa65f2aeebb1ba90f4132e13f5595fd53bdfda46bf7dac393a34c3b"
      "5408" },
    { 4, 4, 128, -4, true, "AESV2", "",
      "own\xc3\xa9"
      "r",
      "3b450f40a75c29155fe53951cc4949f4edc5dbd64367bda5812d55d0d6aa8d43",
      "f2376bd56b60ca5bf7614338a37b43b70122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "bd290f5fd02b5c263fcd2ea5ce6208b5", 2,
      "e80d872b7e417c4c56e28623266a494ff5a8dbfbc9651e0ed551a77dfcab6d9fdfd4bb1a078109735bf948ff504b"
      "597a",
      5,
      "b5cd50b652e3f95a98d49c2049508eb2cea571a3034f1a18ff2f10dd615eb62540be6e633ded2e3c7d045c1c4441"
      "da54" },
    { 4, 4, 128, -4, false, "AESV2", "user", "owner",
      "0ba3835f88f90388e74e54584125ce142be0de24c6b0d37746e075b891756671",
      "4ce462854e8df78de5f814850ddb996d0122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "d2e7baee41ee7ca3218c13d7d57b328c", 2,
      "3a06fb6f77b8a8c5a1befd22783e06759084ecbf8f55d97956a3a0c3193d9c73b7252fd7a57ecfbadfe1081dfa3c"
      "9782",
      5,
      "4c48b29856748e55207e83e8562851417ac00f67d2ce2fc6906a104db2db2e27b16d2b46ef9ea02308960459f859"
      "4255" },
    { 4, 4, 128, -4, false, "AESV2", "",
      "own\xc3\xa9"
      "r",
      "3b450f40a75c29155fe53951cc4949f4edc5dbd64367bda5812d55d0d6aa8d43",
      "f1dd5c4ec379f67ab72bc4829fe298ae0122456a91bae5134273a6db134c87c4", NULL, NULL, NULL,
      "ce8113d0a523416bfdbf8260e1211bc2", 2,
      "62d26cf41e1a2ec06d995341f49e4729c76cf3be961ab97b2f61a8c999b06a2a395cdfddaf2a68f207b5772c1c6c"
      "2095",
      5,
      "cb4f927be319133edfa4299bca1daa4d1f5306cd36d32ff842affcbcaaeffb30a372607ef93224ac02651e51fdf3"
      "1333" },
    { 5, 5, 256, -4, true, "AESV3", "user", "owner",
      "2c64c667cf064fc113e1e030b9439f812572c43f32157dfdf700e384cb439863367e15c4eec9c43901f97727e9be"
      "6eb8",
      "3ea8a786a705fa2c03dd42fb896ea8bd5f6802cd34b81307c18312469064ce01f0ab0e9e38beee134335cc2a8d04"
      "8d3c",
      "7b064607ec35cbc1acd311b9a6adfcf5e49b10ead5192747b27346ec9a5c3ac2",
      "b6ca12a7645ea39e160937bbd81ad92ca8ffb6f539ce95664019ee1c52fa1bdb",
      "04aa9a76b5c40dad79f6ac3921dd641a",
      "b3c1810e4a0e58f6f683b4ea30fbedac0aad7e3175e49f05bda4bfd06dd894ad", 2,
      "ddee60b50956c7585b8ea5a7bc84f7602912d70dde3545d18cf35a43af1bf964bedc515ac6d51287bda53b1f6617"
      "c022",
      5,
      "ab363ce163fb3e34e6ae8a83338fa64b82792867d9c227903ec03c1276f2b8304c15e28e3110d00b0c88f64b0ed2"
      "69a5" },
    { 5, 5, 256, -4, true, "AESV3", "",
      "own\xc3\xa9"
      "r",
      "a39d1b45be06b6c2490be64c119a503492796a983b0d56f67f1da9da1bf6319016d4c6aa7dfef6a1eb8f7d80bc52"
      "0bc9",
      "31425b373ac02139e446aa3b48ed5afcf7de2be55be6102aad44932fbdeac01962fcc66bf1f4040b051eb358d881"
      "55e8",
      "7f148ea2c9a1695c8f1318d6cf9db1445e83fbcca9f90bd387cc3480c6ce6b6a",
      "b1d994bd03137107487f9176b665ad0acf94d56fc021dd33196509e9284345b2",
      "07c21e1d8e4b8cce354738a226ad0f2c",
      "4bdc8c4465ba4b1f7b61e2ba1d8fd42272d0018dcbea32c544000e36336d6ddb", 2,
      "5725abc463fa3c7dcce4e1d9f32549596699c7382f84daa103e135b84a30a593a86f24fefdc6bb1f020f6e09826f"
      "9d2c",
      5,
      "e45c71abbf221ed44032161baa3067ed0556aca8b8ff36a5294bfa35940e4518c90f5cfc4ca6b03e4d230b4151a2"
      "9666" },
    { 5, 6, 256, -4, true, "AESV3", "user", "owner",
      "911d967d25c345767e34eb0fad9badaa51a93ef7fc0c589c94464df6b73159246a38b5806e76d8b50a4f35be8d48"
      "a16d",
      "664e4a5082774bd309c72d0e6df635753ec7f9d5752e42908e9b3eb90d3ca6abfd695e7a4e667fbea7ac1173315d"
      "d1bb",
      "c6e60805d297daceef8260307dd56990e64119f8a5debef969385f6df3144aad",
      "1609d127748d77373d12090ffce6701fbafbd456fad3aaede360a84e6ef06d41",
      "2deafdcc5e5cebe583d5e35895f5f286",
      "f2a49c78052745d3e424b2938ef58b894d7394a53fdfdeb943b21955ab5ede74", 2,
      "ef57f8a046a90fc188402e08721688b1e856485068e1f1cff1ae625727ebbeec98f5c0f5ef1e33f40af9a3321eff"
      "2698",
      5,
      "0b3cbe6a5885999d608e95901663744bdb15da6afcf710df3e78256e308cebc2014b00469c4c5bfcffdbd998bf4d"
      "286d" },
    { 5, 6, 256, -4, true, "AESV3", "",
      "own\xc3\xa9"
      "r",
      "4c788b2ee4eb233b3f5b1f6f5235619d3541c3ff23a6866c1476e1d390edcf723a65c0cf45784202d5831b809d7b"
      "b845",
      "ff970f7825ba6cada1cce2bfe8ef917bc829c209f6a523872797db6a3a461666b31ea39055b51e2b9d648860d713"
      "3c10",
      "8eb4c2d22c9f0f2dc3ffa703aaad88bb4af94c0a1f921937e92ce8655d6e6737",
      "28393614bb3c7ad6524d36f28682d98e35c1bb51df83ed9bc9d2e4f409d3eacb",
      "49ba76eb951ecc8e383ed04ccda9503c",
      "79d2adaf67bb990e59f537e7fc364299df6e50ef3a00c5707e608e41ff92efb5", 2,
      "b474b6762db04090c2b9edf7b49be7828442758cc671465c5c43d529c9d31d808797c86990da72152214964cc2ee"
      "2d1c",
      5,
      "b387602d54299edabb2807909914e76a7ccbd672d63cd8a4e6c9b6f8afa834b207cab5fdc255390d9c896f90d3bd"
      "e5cd" },
    { 5, 6, 256, -3376, true, "AESV3", "user", "owner",
      "f24e846577d32d456c7b50b66e3556132c9ce525be571a4284d1054331f8bd2ce1adea919657c9644fe51a209ec7"
      "ed1e",
      "5b0d8bb782317c8cb0a0d6a0b93ab4f1dcbd24eba3d254fbe201c853d81ec608f6e5d96b5667304a2b458e104799"
      "ddcb",
      "20617e7fc8e24a65f57b0e8bba6edbe710fd453bfec4f1b56feec7f43c52dfc3",
      "7c0d78131611d6dc6a029476e2167af513830fd1ca0a390227b204edee0f0901",
      "89a5b5b81458ee50e72dc8d2c005eb64",
      "96e6c3d88a39b9bfabc5afc65f449b82e9ca52472ca8b71dc247121e0325d13f", 2,
      "6b072a36d7c9b71189fcc5f8c0def92214b17dc7ad4c0fb2675dcb452d332b70494f7e8f89b4f738ce85590e1b2c"
      "fc50",
      5,
      "b32f8ac36f2f1c9f43db93d20f15b525a72e451ef1c9e1e7911e021eea5f4d51356e49db743154abbff157edd626"
      "f622" },
    { 5, 6, 256, -3376, true, "AESV3", "",
      "own\xc3\xa9"
      "r",
      "fcfa30a553041c5701f5f6b0594f65e8e8a573f145849afe16e51ed3bc0e809fdcf10e948ce4abdc6c846ea0a1e7"
      "f8ff",
      "d87ea8e8c259e45851af37998d5c775d5f04e9aee085c1a853b77a137c941c20d8f050434e112ba63d3aef9b76a2"
      "30e7",
      "c5a9b98dc2af5806083368a05d6d8331c77022d942300a4c5656721f028fe7a0",
      "d4cc9a9465e5c912b3ce1472eba395e4952671d5654f0ab4fc7eedede0b98310",
      "071c641610c4b203068064015b60a1f8",
      "44fdd83313c3b1a2654e543db72c4523ac589ff93c8744c8a3da2b7d474e383c", 2,
      "30a4a4bc2dfd831bf892e847012ab1acbce26209aab6036634f9039ab9d6fc51bc250b02d44d486ef9b65dd2cbdf"
      "3a22",
      5,
      "9a82000c029ce2f1302070965b6f5bb119e28ca7777b02a82b84da7263e7784b9a94a826b56af7480426ce325677"
      "4122" },
};

#endif
