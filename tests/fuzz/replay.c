/* replay: feeds the files of a folder to a fuzz target without libFuzzer.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLAY_BYTES ((size_t)1 << 22)

static int replay_file(const char *folder, const char *name, uint8_t *buffer)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t size = fread(buffer, 1, REPLAY_BYTES, file);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(buffer, size);
    return 1;
}

int main(int argc, char **argv)
{
    uint8_t *buffer = malloc(REPLAY_BYTES);
    int files = 0;
    for (int i = 1; i < argc && buffer != NULL; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder == NULL)
            continue;
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
            if (entry->d_name[0] != '.')
                files += replay_file(argv[i], entry->d_name, buffer);
        (void)closedir(folder);
    }
    free(buffer);
    (void)printf("%d inputs replayed\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* an empty corpus proves nothing */
}
