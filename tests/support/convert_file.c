/* convert_file: runs the pipeline over plain files, in this process: what a worker does, without
 * one.
 *
 * convert_file [-t threads] [-l ledger.json] [-f format] [-c lzw|deflate|jpeg] [-r degrees]
 * [-p pages] OUT IN...; a refusal is one line on stderr and exit 1.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan.h"
#include "pipeline/run.h"
#include "tests/support/single_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONVERT_INPUTS 256

struct file_out {
    struct pl_out out;
    FILE *file;
};

static pl_status file_write(struct pl_out *out, const void *data, size_t size)
{
    struct file_out *file = (struct file_out *)out;
    return fwrite(data, 1, size, file->file) == size ? PL_OK : PL_IO_ERROR;
}

static const struct pl_out_ops file_ops = { file_write };

static uint8_t *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *data = NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        data = malloc(*size + 1);
        if (data != NULL && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    (void)fclose(file);
    return data;
}

static int save(const char *path, const struct pl_bytes *bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return EXIT_FAILURE;
    size_t written = fwrite(bytes->data, 1, bytes->size, file);
    return fclose(file) == 0 && written == bytes->size ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int convert(const struct pl_plan *plan, const char *to, const char *ledger, unsigned threads,
                   struct pl_source *const *inputs, size_t count)
{
    struct file_out out = { { .ops = &file_ops }, fopen(to, "wb") };
    if (out.file == NULL)
        return EXIT_FAILURE;
    struct single_document single;
    single_document_init(&single, &out.out);
    struct pl_run_job job = { .plan = plan,
                              .inputs = inputs,
                              .input_count = count,
                              .documents = &single.documents,
                              .limits = &pl_limits_default,
                              .threads = threads };
    struct pl_run_result result = { 0 };
    struct pl_fault fault = { 0 };
    pl_status status = pl_run_plan(&job, &result, &fault);
    int code = status == PL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    if (status != PL_OK)
        (void)fprintf(stderr, "%s: %s\n", pl_status_name(status), fault.reason);
    if (fclose(out.file) != 0)
        code = EXIT_FAILURE;
    if (status == PL_OK && ledger != NULL && save(ledger, &result.page_ledger) != EXIT_SUCCESS)
        code = EXIT_FAILURE;
    if (code != EXIT_SUCCESS)
        (void)remove(to);
    pl_run_result_fini(&result);
    return code;
}

struct options {
    const char *ledger;
    unsigned threads;
    struct pl_plan plan;
};

static bool options_take(struct options *options, int option, const char *value)
{
    struct pl_convert *convert = &options->plan.convert;
    switch (option) {
    case 't':
        options->threads = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 'l':
        options->ledger = value;
        return true;
    case 'f':
        return pl_format_parse(value, &convert->to);
    case 'c':
        convert->tiff = value[0] == 'd'   ? PL_TIFF_DEFLATE
                        : value[0] == 'j' ? PL_TIFF_JPEG
                                          : PL_TIFF_LZW;
        return true;
    case 'r':
        convert->rotate = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 'p':
        return pl_text_copy(convert->pages, sizeof convert->pages, pl_span_from(value));
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct options options = { .threads = 2 };
    int option = 0;
    bool good = true;
    pl_convert_defaults(&options.plan.convert, PL_FORMAT_PDFA_2B);
    while (good && (option = getopt(argc, argv, "t:l:f:c:r:p:")) != -1)
        good = options_take(&options, option, optarg);
    if (!good || argc - optind < 2 || argc - optind - 1 > CONVERT_INPUTS) {
        (void)fputs("usage: convert_file [-t threads] [-l ledger.json] [-f format] [-c compression]"
                    " [-r degrees] [-p pages] OUT IN...\n",
                    stderr);
        return 2;
    }
    size_t count = (size_t)(argc - optind - 1);
    struct pl_source *inputs[CONVERT_INPUTS] = { 0 };
    uint8_t *data[CONVERT_INPUTS] = { 0 };
    int code = EXIT_SUCCESS;
    for (size_t i = 0; i < count && code == EXIT_SUCCESS; i++) {
        size_t size = 0;
        data[i] = file_read(argv[optind + 1 + (int)i], &size);
        if (data[i] == NULL || pl_source_memory_new(data[i], size, &inputs[i]) != PL_OK) {
            (void)fprintf(stderr, "%s cannot be read\n", argv[optind + 1 + (int)i]);
            code = EXIT_FAILURE;
        }
    }
    if (code == EXIT_SUCCESS)
        code = convert(&options.plan, argv[optind], options.ledger, options.threads, inputs, count);
    for (size_t i = 0; i < count; i++) {
        if (inputs[i] != NULL)
            inputs[i]->ops->free(inputs[i]);
        free(data[i]);
    }
    return code;
}
